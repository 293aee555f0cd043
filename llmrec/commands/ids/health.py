"""`llmrec ids health TABLE`: how well names use their books, and what they say of behaviour, genre and year.

Where it stands: under the command line. What it does not know: how anything is measured (`llmrec.ids.health`).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.contracts import Catalog, Dataset, IdTable, Interactions
    from llmrec.runs.tables import Opened


def run(args: argparse.Namespace) -> layout.Told:
    """All that can be measured with what stands behind the table: its data, and for a trained run the learned vectors of its Tokens."""
    from llmrec.ids.health import text
    from llmrec.ids.health.report import report
    from llmrec.runs import tables

    opened = tables.open_table(args.rest[0])
    table, train, catalog = _with_data(opened, args)
    place = args.place or 0
    depth = table.items.codes.shape[1]
    if not 0 <= place < depth:
        raise ValueError(f"--place {place}: names of {opened.name} have the places 0 to {depth - 1}")
    learned = _learned(opened)
    measured = report(table, train, catalog, level=place, years=True, **learned)
    plain = {"table": opened.name, **measured.to_dict()}
    for group in plain["health"]["shared"]["groups"]:  # a number means nothing outside: keys and titles do
        group["name"] = [str(piece) for piece in group["name"]]
        if catalog is not None:
            group["items"] = [{"key": catalog.item_keys[i], "title": catalog.titles[i]} for i in group["items"]]
            group["users"] = [catalog.user_keys[u] for u in group["users"]]
    return layout.Told(plain, text.text(measured, catalog))


def _with_data(opened: Opened, args: argparse.Namespace) -> tuple[IdTable, Interactions | None, Catalog]:
    """The table and, where data belongs to it, the training interactions; a file's names are put in the order of --data."""
    if args.data is None:
        for option in ("set", "seed"):
            if getattr(args, option) is not None:
                raise ValueError(f"--{option} goes with --data: name the data set that the names belong to")
        return opened.table, None if opened.behind is None else opened.behind.split().train, opened.catalog
    if opened.behind is not None:
        raise ValueError(f"--data is for files: {opened.name} has the data it was fitted on, leave --data out")
    data, train = _read(args.data, args.set or [], args.seed or 0)
    return opened.keyed.aligned(data.catalog, opened.name), train, data.catalog


def _read(text: str, pairs: list[str], seed: int) -> tuple[Dataset, Interactions]:
    """The data, and its training part: the one that a recipe with this seed draws."""
    if seed < 0:
        raise ValueError(f"--seed {seed} must be 0 or more")
    from llmrec import recipe
    from llmrec.commands import settings
    from llmrec.commands.data import source
    from llmrec.rng import stream

    sections: dict[str, dict[str, Any]] = {"data": source(text), "filter": {}, "split": {}}
    for dotted, value in settings.changes(pairs).items():
        section, _, key = dotted.partition(".")
        if section not in sections or not key:
            raise ValueError(f"--set {dotted}: only keys of {', '.join(sections)} can be set here")
        sections[section][key] = value
    reader, chosen, splitter = (recipe.stage(section, body) for section, body in sections.items())
    data: Dataset = chosen.apply(reader.load())
    train: Interactions = splitter.split(data.interactions, stream(seed, "split")).train
    return data, train


def _learned(opened: Opened) -> dict[str, Any]:
    """For a run with a model: the vectors its Tokens have learned, and how it reads names."""
    from llmrec.runs.store import Run

    if not isinstance(opened.behind, Run) or not (opened.behind.path / "model").exists():
        return {}
    from llmrec.lm.model import LanguageModel

    model = LanguageModel.load(opened.behind.path / "model")
    n = len(opened.table.tokens)
    rows = model.rows.rows()[:n].detach().float().numpy() if n else None
    return {"rows": rows, "subwords": model.vocab.names}
