"""Compare runs and baselines on the same held-out items: intervals, paired differences, and the table as a file.

Example: llmrec compare metaid-ml-100k-sketch-1 tokenrec-ml-100k-sketch-1 --baseline ease --html comparison.html
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from llmrec.commands import layout

FORMS = ("latex", "markdown", "csv", "html")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="runs' names or folders, of one data set and split")
    parser.add_argument(
        "--baseline", action="append", default=[], metavar="NAME", help="a baseline beside them; may be repeated, `quick` names four"
    )
    parser.add_argument("--against", default="", metavar="NAME", help="whom the others are compared with (default: the first)")
    parser.add_argument("--part", choices=("test", "valid"), default="test", help="which held-out items to look for (default: test)")
    parser.add_argument("--seen", choices=("masked", "unmasked"), default="masked", help="may seen items come back? (default: masked)")
    for form, words in zip(
        FORMS, ("a booktabs table", "a Markdown table", "all numbers in full", "one page that opens offline"), strict=True
    ):
        parser.add_argument(f"--{form}", metavar="FILE", help=f"write {words}" + ("" if form == "html" else "; `-` prints it"))


def run(args: argparse.Namespace) -> layout.Told:
    from llmrec import registry
    from llmrec.report import standings
    from llmrec.runs import compared, store

    wanted = [name for asked in args.baseline for name in (registry.QUICK_BASELINES if asked == "quick" else (standings.of_name(asked),))]
    runs = [store.open_run(name) for name in dict.fromkeys(args.runs)]
    names = [*(one.name for one in runs), *dict.fromkeys(wanted)]
    reference = args.against or names[0]
    if reference not in names:
        raise ValueError(f"--against {reference!r} is not compared here: name one of {', '.join(names)}")
    found = compared.compare(runs, names[len(runs) :], args.part, args.seen == "masked", reference, tell=_say)
    texts = [_write(found, form, getattr(args, form)) for form in FORMS if getattr(args, form)]
    return layout.Told(plain(found), "\n\n".join(texts) or shown(found))


def plain(found: Any) -> dict[str, Any]:
    """A comparison as JSON has it."""
    ground = found.ground
    lines = []
    for one, spans in zip(found.standings, found.spans, strict=True):
        sure = {metric: [span.mean, span.low, span.high] for metric, span in spans.items()}
        coverage = None if one.places is None else one.places.coverage(ground.n_items)
        lines.append({"name": one.name, "kind": one.kind, "metrics": sure, "coverage": coverage, "costs": dict(one.costs)})
    less = {
        metric: {
            d.name: {
                "difference": [d.less.mean, d.less.low, d.less.high],
                "better": d.wins,
                "worse": d.losses,
                "same": d.ties,
                "p": d.p,
                "p_holm": d.holm,
            }
            for d in found.differences(metric)
        }
        for metric in found.ground.rules.headline
    }
    return {
        "data": ground.data,
        "split": ground.protocol,
        "split_fingerprint": ground.mark,
        "part": found.part,
        "seen": found.seen,
        "n_users": ground.n_users,
        "against": found.against,
        "recommenders": lines,
        "differences": less,
    }


def text(result: layout.Told) -> str:
    return result.text


def shown(found: Any) -> str:
    """The table, the differences, and what they show."""
    head, lines, _ = found.written(found.ground.rules.headline)
    blocks = [layout.table(found.asked(), head, lines)]
    if len(found.standings) > 1:
        blocks.append(layout.table(f"paired by user, less {found.title_of(found.against)}", *found.written_differences()))
    return "\n\n".join([*blocks, f"  {found.said()}"])


def _write(found: Any, form: str, file: str) -> str:
    from llmrec import artifacts
    from llmrec.report import files

    made = files.written(found, form)
    if file == "-" and form != "html":
        return made.rstrip("\n")
    path = Path(file).expanduser()
    if path.is_dir():
        raise ValueError(f"{file} is a folder: name a file for --{form}")
    try:
        artifacts.write_text(made, path)
    except OSError as error:
        raise ValueError(f"{file} cannot be written ({error.strerror}): name another file for --{form}") from None
    return f"wrote {file}"


def _say(name: str) -> None:
    print(f"{name} ...", file=sys.stderr, flush=True)
