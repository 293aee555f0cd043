"""Look at the dialogues that a chat is trained on, made of train and the catalogue: what is asked, what is answered, what was understood.

    llmrec dialogues show    some of them, drawn by a seed, as text or with --json one JSON object a line

Behind a title in brackets stands what the model reads of it: year and genres, and with --scheme or a run its name too.
Examples: llmrec dialogues show --n 5
          llmrec dialogues show --skill why --unseen
          llmrec dialogues show --data metaid-ml-100k-sketch-1 --json
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from llmrec.commands import layout
from llmrec.recommend.chat.values import Skill

if TYPE_CHECKING:
    from llmrec.contracts import Catalog, IdTable, Interactions

SKILLS = get_args(Skill)
TRIES = 200  # dialogues made for each that ends with the skill asked for


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", metavar="show", choices=("show",), help="what to do: show")
    parser.add_argument("--data", metavar="NAME|PATH|RUN", default="ml-100k", help="a data set, or a run (default: ml-100k)")
    parser.add_argument("--scheme", metavar="NAME", help="name the items by this scheme, such as metaid (default: a run's own, else none)")
    parser.add_argument("--seed", type=int, metavar="N", help="which are drawn (default: 0)")
    parser.add_argument("--n", type=int, default=3, metavar="N", help="how many (default: 3)")
    parser.add_argument("--skill", choices=SKILLS, metavar="SKILL", help=f"those that end with {', '.join(SKILLS[:-1])} or {SKILLS[-1]}")
    parser.add_argument("--unseen", action="store_true", help="in phrasings that no training reads")


def run(args: argparse.Namespace) -> Iterator[layout.Told]:
    from llmrec import rng as streams
    from llmrec.lm.dialogue import shown
    from llmrec.lm.dialogue.generator import Generator

    if args.n < 1:
        raise ValueError(f"--n {args.n} must be at least 1")
    if (args.seed or 0) < 0:
        raise ValueError(f"--seed {args.seed} must be at least 0")
    train, catalog, table = _read(args.data, args.scheme)
    if not len(train):
        raise ValueError("train is empty, so there is nobody to talk: change the filter or the split")
    generator, rng = Generator(train, catalog), streams.stream(args.seed or 0, "dialogues", args.skill or "", str(args.unseen))
    found = 0
    for _ in range(args.n * TRIES):
        dialogue = generator.dialogue(int(rng.integers(len(train))), rng, args.unseen)
        if args.skill is None or dialogue.turns[-1].understood.skill == args.skill:
            found += 1
            yield layout.Told(shown.plain(dialogue, catalog), shown.shown(dialogue, generator.language, table) + "\n")
        if found == args.n:
            return
    if not found:
        raise ValueError(f"nothing of the skill {args.skill} came up: it may need genres or years, which this catalogue may lack")


def text(result: layout.Told) -> str:
    return result.text


def _read(what: str, scheme: str | None) -> tuple[Interactions, Catalog, IdTable | None]:
    """Train, the catalogue and the names of a data set or a run."""
    from llmrec import recipe
    from llmrec.commands.data import sections
    from llmrec.runs import stages, store

    try:
        found = store.open_run(what)
    except store.UnknownRun:
        found = None
    if found is not None and scheme is None:
        return found.split().train, found.dataset().catalog, found.table()
    plain = sections(what) if found is None else {k: v for k, v in found.recipe.to_dict().items() if k in ("data", "filter", "split")}
    chosen = recipe.read({**plain, "scheme": {"name": scheme or "rid"}})
    data = stages.dataset(chosen)
    parts = stages.split(chosen, data)
    names = None if scheme is None else stages.table(chosen, data, parts, stages.vectors(chosen, data, parts))
    return parts.train, data.catalog, names
