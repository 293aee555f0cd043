"""Describe a data set, or import one of your own: counts, histories, long tail, times, notes on what was repaired.

    llmrec data NAME|PATH                  describe it: a data set by name (ml-100k, or one that was imported), a folder of RecBole or
                                           MovieLens files, a CSV, TSV or Parquet table, or a recipe (.toml)
    llmrec data import FILE... --name NAME keep files as a data set of this machine: CSV, TSV, Parquet, RecBole, MovieLens, Amazon, or
                                           a zip of those; the same as Import on the Data page, with no limit of 20 MB
    llmrec data list                       the data sets that were imported
    llmrec data delete NAME                throw one away; says which runs were trained on it

Examples: llmrec data interactions.csv --set data.user=customer --set filter.user=5
          llmrec data import ratings.csv --name my-films --set data.user=customer --set filter.item=5 --set split.name=holdout
          llmrec train --scheme metaid --data my-films
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from llmrec.commands import layout

DELIMITED = (".csv", ".tsv", ".txt", ".tab", ".parquet", ".gz")
# verb -> which sections --set may change; "" describes
VERBS: dict[str, tuple[str, ...]] = {"": ("data", "filter"), "import": ("data", "filter", "split"), "list": (), "delete": ()}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="NAME|PATH|import|list|delete", help="what to describe (default: ml-100k) or do")
    parser.add_argument("--set", action="append", default=[], metavar="data.KEY=VALUE", help="a setting of the reader or the filter")
    parser.add_argument("--name", metavar="NAME", help="import: what the data set is to be called")
    parser.add_argument("--yes", action="store_true", help="delete: also where runs were trained on it")


def run(args: argparse.Namespace) -> dict[str, Any]:
    first, *rest = args.words or ["ml-100k"]
    verb = first if first in VERBS else ""
    if args.name is not None and verb != "import":
        raise ValueError("--name belongs to `llmrec data import FILE... --name NAME`")
    if args.yes and verb != "delete":
        raise ValueError("--yes belongs to `llmrec data delete NAME`")
    given = _settings(args.set, VERBS[verb])
    if verb == "import":
        return _import(rest, args.name, given)
    if verb == "list":
        return _list(rest)
    if verb == "delete":
        return _delete(rest, args.yes)
    if rest:
        raise ValueError(f"one data set is described at a time, and {len(args.words)} words were given: see `llmrec data --help`")
    return _describe(first, given)


def text(result: dict[str, Any]) -> str:
    return result.text if isinstance(result, layout.Told) else _facts(result)


def _settings(pairs: list[str], allowed: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    from llmrec.commands import settings

    sections: dict[str, dict[str, Any]] = {section: {} for section in allowed}
    for dotted, value in settings.changes(pairs).items():
        section, _, key = dotted.partition(".")
        if section not in sections or not key:
            said = " and ".join(f"{name}.KEY" for name in allowed) if allowed else "nothing"
            raise ValueError(f"--set {dotted}: only {said} can be set here")
        sections[section][key] = value
    return sections


def _describe(what: str, given: dict[str, dict[str, Any]]) -> dict[str, Any]:
    from llmrec import recipe
    from llmrec.data.describe import describe

    own = sections(what)
    reader, chosen = (recipe.stage(section, {**own.get(section, {}), **given[section]}) for section in ("data", "filter"))
    return describe(chosen.apply(reader.load()))


def _import(files: list[str], name: str | None, given: dict[str, dict[str, Any]]) -> layout.Told:
    from llmrec.data import importing, mapping, uploads
    from llmrec.data.describe import describe_split
    from llmrec.data.files import usable

    if not files:
        raise ValueError("`llmrec data import FILE... --name NAME` is the form: name the files of one data set")
    paths = [Path(file).expanduser() for file in files]
    for path in paths:
        with usable(path):
            if not path.exists():
                raise FileNotFoundError(f"there is no file {path}: check the path")
    called = name if name is not None else uploads.proposed(paths[0].name)
    folder, found, left, parted = importing.bring(paths, called, given)
    taken = left.interactions
    mapped = {role: found.section[role] for role in mapping.ROLES if found.section.get(role)}
    plain = {
        "name": called,
        "folder": str(folder),
        "format": found.said,
        "columns": mapped,
        "n_users": taken.n_users,
        "n_items": taken.n_items,
        "n_interactions": len(taken),
        "split": describe_split(parted),
        "notes": list(left.notes),
    }
    return layout.Told(
        plain,
        "\n".join(
            [
                found.said,
                *(f"columns: {columns}" for columns in [", ".join(f"{r} = {c}" for r, c in mapped.items())] if mapped),
                *(f"not read: {aside}" for aside in found.aside),
                *(f"note: {note}" for note in left.notes),
                f"{called}: {taken.n_users:,} users, {taken.n_items:,} items, {len(taken):,} interactions, kept in {folder}",
                f"train on it: llmrec train --scheme metaid --data {called}",
            ]
        ),
    )


def _list(rest: list[str]) -> layout.Told:
    from llmrec.data import uploads

    if rest:
        raise ValueError("`llmrec data list` takes no more words")
    found = {name: uploads.fragment(name) for name in uploads.names()}
    rows = [(name, " ".join(f"{k}={v}" for s in ("filter", "split") for k, v in found[name][s].items())) for name in found]
    return layout.Told({"sets": found}, layout.table("Data sets of this machine", ("name", "filter and split"), rows))


def _delete(rest: list[str], sure: bool) -> layout.Told:
    from llmrec.data import uploads
    from llmrec.runs import readers

    if len(rest) != 1:
        raise ValueError("`llmrec data delete NAME` is the form: name one data set of `llmrec data list`")
    uploads.folder(rest[0])
    readers.refuse_at_work(rest[0])  # --yes gives up what ended, never what is going on
    runs = readers.of_upload(rest[0])
    if runs and not sure:
        raise ValueError(f"{rest[0]} is what {', '.join(runs)} learned from, and they cannot be opened without it: add --yes to delete it")
    freed = uploads.delete(rest[0])
    return layout.Told({"deleted": rest[0], "bytes": freed, "runs": runs}, f"{rest[0]} is deleted, {layout.size(freed)} are free again")


def _facts(result: dict[str, Any]) -> str:
    plain = [(name, value) for name, value in result.items() if isinstance(value, (int, float, str))]
    blocks = [layout.table(f"Data set {result['name']}", ("measure", "value"), [(k, layout.cell(v)) for k, v in plain if k != "name"])]
    for name, value in result.items():
        if isinstance(value, dict) and value and not any(isinstance(v, dict) for v in value.values()):
            shown = list(value.items())[:12]
            blocks.append(layout.table(name, ("", "value"), shown))
    blocks += [f"note: {note}" for note in result.get("notes", [])]
    return "\n\n".join(blocks)


def sections(text: str) -> dict[str, dict[str, Any]]:
    """Sections data, filter and split for a name or a path: an imported set brings its own filter and split, and so does a recipe."""
    import tomllib

    from llmrec.data import uploads

    if text.endswith(".toml") and Path(text).expanduser().is_file():
        try:
            plain = tomllib.loads(Path(text).expanduser().read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{text} is not a TOML file: {error}") from None
        return {section: dict(body) for section in ("data", "filter", "split") if isinstance(body := plain.get(section, {}), dict)}
    data = source(text)
    return uploads.fragment(data["set"]) if data["name"] == "upload" else {"data": data}


def source(text: str) -> dict[str, Any]:
    """The [data] section for a name or a path."""
    from llmrec import registry
    from llmrec.data import uploads
    from llmrec.data.files import usable

    if text in registry.names("data"):
        return {"name": text}
    if text in uploads.names():
        return {"name": "upload", "set": text}
    with usable(text, "choose another file or folder"):
        return _of_path(text)


def _of_path(text: str) -> dict[str, Any]:
    from llmrec import home, registry
    from llmrec.data import uploads

    path = Path(text).expanduser()
    if path.is_dir() and path.absolute().parent == home.uploads().absolute() and path.name in uploads.names():
        return {"name": "upload", "set": path.name}
    if path.is_dir():
        return {"name": "recbole" if any(path.glob("*.inter*")) else "movielens", "path": str(path)}
    if path.is_file():
        if path.suffix == ".inter":
            return {"name": "recbole", "path": str(path.parent)}
        return {"name": "table", "path": str(path)}
    if path.suffix in DELIMITED or path.name != text:
        raise FileNotFoundError(f"there is no file or folder {text}: check the path")
    known = ", ".join((*registry.names("data"), *uploads.names()))
    raise ValueError(f"{text!r} is neither a data set nor a path: data sets are {known}")
