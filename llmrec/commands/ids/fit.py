"""`llmrec ids fit SCHEME`: names from data, without a language model.

Where it stands: under the command line, over `llmrec.runs.tables`. What it does not know: how names are made.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.ids.exchange.keyed import KeyedTable
    from llmrec.ids.health.report import Health
    from llmrec.recipe import Recipe

SECTIONS = ("data", "filter", "split", "embed", "scheme")
EXAMPLES = 5
NOT_WRITTEN = {".csv", ".tsv", ".txt", ".xls", ".xlsx"}


def run(args: argparse.Namespace) -> layout.Told:
    """Fit, keep, and tell in short what came out."""
    from llmrec.commands.progress import Progress
    from llmrec.ids.exchange import files
    from llmrec.ids.exchange.keyed import KeyedTable
    from llmrec.ids.health.report import health
    from llmrec.runs import tables

    out = None if args.out is None else Path(args.out).expanduser()
    if out is not None and out.suffix in NOT_WRITTEN:
        raise ValueError(f"--out {args.out}: names are written as .json or .parquet, or into a folder")
    to_file = out is not None and out.suffix in files.SUFFIXES
    chosen = recipe_of(args.rest[0], args.data, args.set or [], args.seed)
    fitted = tables.fit(chosen, Progress(), None if to_file else out)
    keyed = KeyedTable.of(fitted.table(), fitted.catalog())
    if to_file and out is not None:
        files.save(keyed, out)
    info = fitted.info
    counted = health(keyed.table)
    plain = {
        "table": fitted.name,
        "path": str(out if to_file else fitted.path),
        **{name: info[name] for name in ("scheme", "data", "seed", "seconds")},
        **{n: getattr(counted, n) for n in ("n_items", "n_users", "distinct_items", "distinct_users", "collisions", "new_rows", "depth")},
        "levels": [{n: getattr(level, n) for n in ("place", "book", "size", "used", "perplexity")} for level in counted.levels],
        "examples": _examples(keyed),
    }
    return layout.Told(plain, _text(plain, counted))


def recipe_of(scheme: str, data: str | None, pairs: list[str], seed: int | None) -> Recipe:
    """The recipe that the words of the command line mean: the scheme's own embedder and the defaults where nothing is set."""
    from llmrec import recipe
    from llmrec.commands import settings
    from llmrec.commands.data import source

    body = source(data or "ml-100k")
    plain: dict[str, Any] = {"seed": seed or 0, "data": body, "scheme": {"name": scheme}}
    later: dict[str, Any] = {}
    for dotted, value in settings.changes(pairs).items():
        section, _, key = dotted.partition(".")
        if section not in SECTIONS or not key:
            raise ValueError(f"--set {dotted}: names are fitted from {', '.join(SECTIONS)}; set one of their keys (the seed with --seed)")
        if section in plain:  # what has no default must be there at once
            plain[section][key] = value
        else:
            later[dotted] = value
    scheme_files = ("items", "users") if plain["scheme"]["name"] == "imported" else ()
    for section, key in (("data", "path"), *(("scheme", key) for key in scheme_files)):
        path = plain[section].get(key)
        if isinstance(path, str) and path:  # kept in the table, which is opened from other folders too
            plain[section][key] = str(Path(path).expanduser().absolute())
    return recipe.with_settings(recipe.read(plain), later)


def _examples(keyed: KeyedTable) -> list[dict[str, Any]]:
    titles = keyed.titles or keyed.item_keys
    items = keyed.table.items
    rows = range(min(EXAMPLES, len(items)))
    return [{"key": keyed.item_keys[i], "title": titles[i], "pieces": [str(piece) for piece in items.spell(i)]} for i in rows]


def _text(plain: dict[str, Any], counted: Health) -> str:
    from llmrec.ids.health import text as health_text

    head = f"Names of {plain['scheme']} for {plain['data']}, seed {plain['seed']}, in {plain['seconds']:.1f} s\n{plain['path']}"
    rows = [(e["key"], e["title"], " ".join(e["pieces"])) for e in plain["examples"]]
    collisions = f"users and items that share a whole name: {counted.collisions:,}"
    return "\n\n".join([head, layout.table("Some items", ("key", "title", "name"), rows), health_text.counts(counted), collisions])
