"""Ask runs a shipped set of messages over all skills of a talk, and hold the answers against catalogue, history and train.

Each probe is asked by each of some users who have an item held out, the same for every model, in words that training reads and in others.
Examples: llmrec probe metaid-ml-100k-demo-1 sid-ml-100k-demo-1 --baseline itemknn --users 3 --out probes.json
          llmrec probe metaid-ml-100k-demo-1 --only why --show 5
          llmrec probe --from probes.json --markdown docs/chat.md
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from llmrec.commands import layout


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="*", help="runs' names or folders, of one data set and split")
    parser.add_argument("--baseline", metavar="NAME", action="append", default=[], help="a baseline on the first run's data; repeatable")
    parser.add_argument("--users", type=int, default=3, metavar="N", help="how many users ask every probe (default: 3)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which users, titles and phrasings are drawn (default: 0)")
    parser.add_argument("--only", action="append", default=[], metavar="SKILL", help="probes of this skill alone, or `refuse`; repeatable")
    parser.add_argument("--show", type=int, default=10, metavar="N", help="failures to read, of each model (default: 10)")
    parser.add_argument("--out", metavar="FILE", help="keep every turn as JSON")
    parser.add_argument("--summary", metavar="FILE", help="keep what it comes to alone, without messages and answers")
    parser.add_argument("--from", dest="kept", metavar="FILE", help="tables of what --out or --summary kept, instead of asking")
    parser.add_argument(
        "--markdown", metavar="FILE", help="write the tables between the marks `<!-- probes -->` of a page; `-` prints them"
    )


def run(args: argparse.Namespace) -> layout.Told:
    from llmrec import artifacts
    from llmrec.report.probes import asking, written

    if bool(args.kept) == bool(args.runs):
        raise ValueError("name runs to ask, or --from FILE with what was asked before")
    for name, least in (("users", 1), ("seed", 0), ("show", 0)):
        if getattr(args, name) < least:
            raise ValueError(f"--{name} {getattr(args, name)} must be at least {least}")
    result = _kept(args.kept) if args.kept else _asked(args)
    if args.out:
        _write(json.dumps(result, ensure_ascii=False), args.out, "out")
    if args.summary:
        _write(json.dumps(asking.summary(result), ensure_ascii=False, indent=1), args.summary, "summary")
    if args.markdown == "-":
        return layout.Told(result, written.markdown(result))
    if args.markdown:
        page = Path(args.markdown).expanduser()
        if not page.is_file():
            raise ValueError(f"{args.markdown} is no page: make it, with the lines <!-- probes --> and <!-- end of probes -->")
        artifacts.write_text(written.within(page.read_text(encoding="utf-8"), result), page)
    return layout.Told(result, shown(result, args.show))


def text(result: layout.Told) -> str:
    return result.text


def shown(result: dict[str, Any], most: int) -> str:
    """The tables, and failures to read."""
    from llmrec.report.probes import written
    from llmrec.report.probes.tally import tallies

    blocks = [written.said(result)]
    blocks += [f"{layout.table(t.title, t.head, t.lines)}\n  {t.about}" for t in written.tables(result)]
    for tally in tallies(result):
        failed = tally.failures()
        if failed and most:
            lines = [f"{tally.model}: {len(failed)} of {len(tally.asked)} turns fail; {min(most, len(failed))} of them"]
            blocks.append("\n".join([*lines, *(_failure(turn) for turn in _spread(failed, most))]))
    return "\n\n".join(blocks)


def _failure(turn: dict[str, Any]) -> str:
    def short(words: str) -> str:
        return layout.cell(words if len(words) <= 300 else f"{words[:300]} …")

    head = f"  [{turn['skill']}, {turn['wording']}] {turn['probe']}, turn {turn['turn']}, user {turn['user']}"
    return f"{head}\n    > {short(turn['message'])}\n    {short(turn['answer'])}\n    ! {short('; '.join(turn['faults']))}"


def _spread(failed: list[Any], most: int) -> list[Any]:
    """Some failures, those of every skill before the second of any."""
    met: dict[str, int] = {}
    places: list[tuple[int, int]] = []
    for at, turn in enumerate(failed):
        places.append((met.setdefault(turn["skill"], 0), at))
        met[turn["skill"]] += 1
    return [failed[at] for _, at in sorted(places)[:most]]


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec.recommend.chat import opening
    from llmrec.report.probes import asking, book
    from llmrec.runs import store

    book.probes(args.only)  # a word that is none is told before anything is loaded
    opening.spare_threads()
    runs = [store.open_run(name) for name in dict.fromkeys(args.runs)]
    asking.alike(runs)
    who = asking.drawn(runs[0], args.users, args.seed)
    opened = opening.open_speakers([str(run.path) for run in runs])
    opened += [opening.baseline(name, runs[0], opened[0].knowledge) for name in dict.fromkeys(args.baseline)]
    result = asking.ask(opened, who, str(runs[0].info["data"]), args.seed, args.only, _tell)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return result


def _tell(model: str, user: str, share: float) -> None:
    """How far it is, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r{layout.cell(model)}: user {layout.cell(user)}, {share:.0%}   ", end="", file=sys.stderr, flush=True)


def _kept(file: str) -> dict[str, Any]:
    from llmrec.report.probes import asking

    try:
        return asking.read(json.loads(Path(file).expanduser().read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it is no JSON'}): name what --out wrote") from None


def _write(made: str, file: str, option: str) -> None:
    from llmrec import artifacts

    path = Path(file).expanduser()
    if path.is_dir():
        raise ValueError(f"{file} is a folder: name a file for --{option}")
    try:
        artifacts.write_text(made, path)
    except OSError as error:
        raise ValueError(f"{file} cannot be written ({error.strerror}): name another file for --{option}") from None
