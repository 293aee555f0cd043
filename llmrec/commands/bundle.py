"""Bundles: a trained run in one file, without the data it was trained on, and the way back to a run like every other.

    llmrec bundle pack RUN... --out DIR     one file per run; --check compares what run and bundle recommend
    llmrec bundle open [FILE...]            into the runs' folder; without a file, the bundles that ship with this program
    llmrec bundle show FILE...              who trained it, when, with what, at what cost, and how good it is
    llmrec bundle train [DIR] --out DIR     train, measure and pack every recipe of a folder; interrupted, it goes on where it was

Opening needs the data that the run was trained on, and for an adapter the base it stands on: `llmrec fetch` brings both.
Examples: llmrec bundle pack metaid-ml-100k-sketch-1 --out bundles
          llmrec bundle open bundles/metaid-ml-100k-sketch-1.bundle.zip
          llmrec bundle train --only metaid --out assets/bundles
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmrec.commands import layout

VERBS = ("pack", "open", "show", "train")
OWN = {"out": ("pack", "train"), "half": ("pack", "train"), "by": ("pack", "train"), "check": ("pack",)}
OWN |= {"no_map": ("open",), "only": ("train",), "seeds": ("train",)}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=VERBS, help="what to do")
    parser.add_argument("what", nargs="*", metavar="RUN|FILE|DIR", help="runs to pack, files to open or show, a folder of recipes to train")
    parser.add_argument("--out", metavar="DIR", help="pack, train: the folder for the files (default: the current one)")
    parser.add_argument(
        "--half", action="store_true", default=None, help="pack, train: weights in half precision; what it changes is measured"
    )
    parser.add_argument("--by", metavar="TEXT", help="pack, train: who trained it, told to whoever opens it")
    parser.add_argument(
        "--check", action="store_true", default=None, help="pack: ask run and bundle for 200 people's best ten, and compare"
    )
    parser.add_argument("--no-map", action="store_true", default=None, help="open: leave the vectors of the map for when a page asks")
    parser.add_argument("--only", metavar="NAME", action="append", help="train: this scheme or recipe alone (may be given again)")
    parser.add_argument("--seeds", metavar="N", type=int, nargs="+", help="train: with these seeds instead of each recipe's own")


def run(args: argparse.Namespace) -> Iterator[layout.Told]:
    for name, verbs in OWN.items():
        if getattr(args, name) is not None and args.action not in verbs:
            flag = name.replace("_", "-")
            owners = " or ".join(f"`llmrec bundle {verb}`" for verb in verbs)
            raise ValueError(f"`llmrec bundle {args.action}` takes no --{flag}: it belongs to {owners}")
    return {"pack": _pack, "open": _open, "show": _show, "train": _train}[args.action](args)


def text(result: layout.Told) -> str:
    return result.text


def _pack(args: argparse.Namespace) -> Iterator[layout.Told]:
    from llmrec.runs import store
    from llmrec.runs.bundles import agreement, packing

    if not args.what:
        raise ValueError("which run? `llmrec bundle pack RUN`; `llmrec runs` lists them")
    for name in args.what:
        found = store.open_run(name)
        file = packing.pack(found, Path(args.out or "."), bool(args.half), args.by or "")
        size = file.stat().st_size
        told: dict[str, Any] = {"run": found.name, "file": str(file), "bytes": size}
        said = f"{found.name}: {file}, {layout.size(size)}"
        if args.check or args.half:
            alike = agreement.share(found, file)
            told["agreement"] = dataclasses.asdict(alike)
            said += (
                f"\n  best {alike.k} of {alike.users} people, run and bundle: {alike.same:.1%} the same in the same order, "
                f"{alike.items:.2%} of the items the same, {alike.hits[0]} and {alike.hits[1]} held-out items found"
            )
        yield layout.Told(told, said)


def _open(args: argparse.Namespace) -> Iterator[layout.Told]:
    import time

    from llmrec.runs.bundles import coordinates, opening, shipped

    paths = [Path(text) for text in args.what] or shipped.found()
    if not paths:
        raise ValueError(f"no bundles ship here: there are none in {shipped.folder()}; name a file")
    subwords: dict[Any, Any] = {}
    for path in paths:
        began = time.perf_counter()
        opened = opening.unpack(path, subwords=subwords)
        if not args.no_map:
            coordinates.settle(opened.run)
        took = round(time.perf_counter() - began, 3)
        told = {"run": opened.run.name, "path": str(opened.run.path), "fresh": opened.fresh, "seconds": took, "file": str(path)}
        said = f"{opened.run.name}: {opened.run.status.reason}"
        yield layout.Told(
            told, f"{said} ({took:.1f} s)" if opened.fresh else f"{opened.run.name} is open already: {path} was opened before"
        )


def _show(args: argparse.Namespace) -> Iterator[layout.Told]:
    from llmrec.runs.bundles import training

    if not args.what:
        raise ValueError("which bundle? `llmrec bundle show FILE`")
    for name in args.what:
        plain = training.told(Path(name))
        yield layout.Told(plain, _shown(plain))


def _shown(plain: dict[str, Any]) -> str:
    cost = plain["cost"] or {}
    base = plain["base"]["name"] if plain["base"] else "none, the whole model is in it"
    versions = plain["versions"] or {}
    rows = [
        ("run", plain["name"]),
        ("trained", f"{plain['created']}{' by ' + plain['bundled_by'] if plain['bundled_by'] else ''}, llmrec {plain['llmrec']}"),
        ("with", ", ".join(f"{k} {v}" for k, v in versions.items() if k in ("python", "torch", "transformers", "peft"))),
        ("cost", f"{cost['seconds']:,.0f} s, {cost['cpu_seconds']:,.0f} s of processor, {cost['machine']}" if cost else "not noted"),
        ("scheme, head", f"{plain['scheme']}, {plain['head']}"),
        ("base", base),
        ("data", f"{plain['data']} ({plain['data_fingerprint']}), not in it"),
        ("names, vectors", f"{plain['names']}, {plain['vectors']}"),
        ("weights", plain["precision"]),
        ("size", layout.size(plain["bytes"])),
    ]
    metrics = plain["metrics"]
    few = [n for n in ("hit@10", "ndcg@10") if n in metrics] or list(metrics)[:2]
    numbers = layout.table(
        f"Numbers ({plain['protocol']} test, seen items masked)", tuple(few), [tuple(metrics[n] for n in few)] if few else []
    )
    parts = layout.table("Parts", ("part", "size"), [(name, layout.size(size)) for name, size in plain["parts"].items()])
    return "\n\n".join([layout.table(plain["file"], ("", ""), rows), numbers, parts])


def _train(args: argparse.Namespace) -> Iterator[layout.Told]:
    from llmrec.commands.progress import Progress
    from llmrec.commands.settings import recipe_folders
    from llmrec.runs.bundles import training

    if len(args.what) > 1:
        raise ValueError("`llmrec bundle train` takes one folder of recipes")
    places = [Path(args.what[0])] if args.what else [folder.parent / training.RECIPES for folder in recipe_folders()]
    folder = next((place for place in places if place.is_dir()), places[0])
    recipes = training.chosen(folder, args.only or ())
    progress, bad = Progress(), 0
    for done in training.train(recipes, Path(args.out or "."), args.seeds or (), bool(args.half), args.by or "", progress):
        bad += done.state != "packed"
        args.exit_code = 130 if "Ctrl-C" in done.reason else 2 if bad else 0
        cost = done.cost or {}
        spent = f", {cost['seconds']:,.0f} s and {cost['cpu_seconds']:,.0f} s of processor in all" if cost else ""
        plain = {**dataclasses.asdict(done), "run": str(done.run) if done.run else None, "file": str(done.file) if done.file else None}
        what = f"{done.file}{'' if done.trained else ' (trained before)'}" if done.file else f"{done.state}: {done.reason}"
        yield layout.Told(plain, f"{done.recipe}: {what}{spent}")
