"""Names of users and items: who bears what, fitted without a model, measured, compared, given to newcomers, exported.

TABLE is what holds names: a table of `llmrec ids fit` or a run, by name or folder; a .json or .parquet of `llmrec ids export`; or names
that others released (META ID's .txt, two of them set apart by a comma; a TokenRec folder; LETTER's index.json).
The first word says what is done; a table that is called like one of the verbs is given by its folder.

    llmrec ids TABLE --item|--user|--token   a name and who shares it
    llmrec ids fit SCHEME                    fit names without training a model
    llmrec ids health TABLE                  use of the books, collisions, memorization, diversity, purity
    llmrec ids diff TABLE TABLE              how far two tables agree, and what moved
    llmrec ids name TABLE                    a name for a new user or item, with nothing fitted anew
    llmrec ids export TABLE FILE             write .json or .parquet

Examples: llmrec ids metaid-ml-100k-sketch-1 --item "Alien"
          llmrec ids fit rid --data ml-100k --out rid.json
          llmrec ids health rid.json --data ml-100k
          llmrec ids diff metaid-ml-100k-sketch-1 rid.json
          llmrec ids name metaid-ml-100k-sketch-1 --history "Alien; Blade Runner"
          llmrec ids export metaid-ml-100k-sketch-1 names.parquet
"""

from __future__ import annotations

import argparse
import importlib

from llmrec.commands import layout

# verb -> the arguments after it and the options that belong to it
VERBS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "show": ((), ("item", "user", "token")),
    "fit": (("SCHEME",), ("data", "set", "seed", "out")),
    "health": (("TABLE",), ("data", "set", "seed", "place")),
    "diff": (("TABLE", "TABLE"), ("depth", "most")),
    "name": (("TABLE",), ("history", "item_users", "text")),
    "export": (("TABLE", "FILE"), ()),
}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="TABLE|fit|health|diff|name|export", help="a table, to look at; or what to do")
    parser.add_argument("rest", nargs="*", metavar="SCHEME|TABLE|FILE", help="what it is done to")
    shown = parser.add_argument_group("of a table, one of")
    shown.add_argument("--item", metavar="KEY|TITLE", help="an item, by its key or its title")
    shown.add_argument("--user", metavar="KEY", help="a user, by key")
    shown.add_argument("--token", metavar='"<c3>"', help="a piece: who carries it")
    fitted = parser.add_argument_group("fit")
    fitted.add_argument("--data", metavar="NAME|PATH", help="data set (default: ml-100k); health: the data that a file's names belong to")
    fitted.add_argument("--set", action="append", metavar="SECTION.KEY=VALUE", help="a setting of data, filter, split, embed or scheme")
    fitted.add_argument(
        "--seed", type=int, metavar="N", help="start of all that is random (default: 0); health: with which --data is split"
    )
    fitted.add_argument("--out", metavar="DIR|FILE", help="a folder, or a .json or .parquet (default: a folder in the cache)")
    other = parser.add_argument_group("health, diff")
    other.add_argument(
        "--place", type=int, metavar="N", help="health: whose pieces are compared with genres and years (default: 0, the first)"
    )
    other.add_argument("--depth", type=int, metavar="N", help="diff: pieces that two must share to be companions (default: 1)")
    other.add_argument("--most", type=int, metavar="N", help="diff: how many of those that moved most are told (default: 20)")
    new = parser.add_argument_group("name, one of")
    new.add_argument("--history", metavar='"TITLE; TITLE"', help="a new user, by titles they took, oldest first")
    new.add_argument("--item-users", metavar='"KEY, KEY"', help="a new item, by users who took it")
    new.add_argument("--text", metavar='"TITLE"', help='a new item, by its title, or as a catalogue tells it: "Title: Alien. Year: 1979."')


def run(args: argparse.Namespace) -> layout.Told:
    verb = args.what if args.what in VERBS and args.what != "show" else "show"
    words, options = VERBS[verb]
    said = f"ids {verb}" if verb != "show" else "ids TABLE"
    for other in (option for _, known in VERBS.values() for option in known):
        if other not in options and getattr(args, other) is not None:
            owners = " or ".join(f"`llmrec ids {v if v != 'show' else 'TABLE'}`" for v, (_, known) in VERBS.items() if other in known)
            raise ValueError(f"`llmrec {said}` takes no --{other.replace('_', '-')}: it belongs to {owners}")
    if len(args.rest) != len(words):
        wanted = " ".join((said, *words))
        raise ValueError(f"`llmrec {wanted}` is the form, but {len(args.rest)} words came after {args.what!r}: see `llmrec ids --help`")
    if verb in ("show", "name") and sum(getattr(args, option) is not None for option in options) != 1:
        each = ", ".join(f"--{option.replace('_', '-')}" for option in options)
        raise ValueError(f"`llmrec {said}` needs exactly one of {each}: see `llmrec ids --help`")
    told: layout.Told = importlib.import_module(f"llmrec.commands.ids.{verb}").run(args)
    return told


def text(result: layout.Told) -> str:
    return result.text
