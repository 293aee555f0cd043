"""The command `llmrec`: a dictionary of commands, one JSON object or a readable text out, logs on standard error.

Where it stands: outermost. What it does not know: what the commands do. Nothing heavy is imported before a command runs.

Exit codes: 0 done; 2 wrong use, with one line that names the remedy, or a run that failed; 1 a fault of the program; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from llmrec import __version__

COMMANDS = {
    "fetch": "fetch data and weights into the cache, checked by hash",
    "data": "describe a data set",
    "train": "train a recipe: data, vectors, names, language model, numbers",
    "estimate": "how long a recipe would take, and whether it fits, before it is trained",
    "evaluate": "measure a run over the whole catalogue, beside the baselines",
    "compare": "runs and baselines beside each other, with intervals, paired differences and a report",
    "tasks": "ratings, explanations and reviews in words, measured on held-out interactions",
    "dialogues": "look at the dialogues that a chat is trained on",
    "recommend": "items for a user, or for someone who liked these titles",
    "chat": "talk to runs and baselines in the terminal",
    "probe": "ask runs the shipped probes of a talk, and hold the answers against the data",
    "xray": "look into one recommendation: the prompt, the choice, where an item was lost",
    "ids": "names: fit, look at, measure, compare, name newcomers, export",
    "runs": "the runs and their queue: list, watch, stop, resume, repeat, compare, delete",
    "bundle": "a trained run in one file without its data: pack, open, show, train many",
    "app": "open the studio",
}


class Parser(argparse.ArgumentParser):
    """Wrong use in one line, exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"llmrec: {message}: see `{self.prog} --help`\n")


class Command(Parser):
    """The words of one command: before, between and after its options."""

    _within = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """In two passes, options first; each pass comes through here again."""
        if self._within:
            return super().parse_known_args(args, namespace)
        self._within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._within = False


def parser() -> Parser:
    """The whole command line."""
    every = Command(add_help=False)
    every.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    every.add_argument("--debug", action="store_true", help="log more, and show where an error came from")
    whole = Parser(prog="llmrec", description="A laboratory for how LLM recommenders name users and items.", allow_abbrev=False)
    whole.add_argument("--version", action="version", version=f"llmrec {__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Command)
    for name, help_text in COMMANDS.items():
        module = importlib.import_module(f"llmrec.commands.{name}")
        about = (module.__doc__ or help_text).split("\n\n")
        sub = commands.add_parser(
            name,
            help=help_text,
            description=about[0],
            epilog="\n\n".join(about[1:]),
            parents=[every],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add(sub)
        sub.set_defaults(module=module, exit_code=0)
    return whole


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported: idle threads must not eat the other process's core
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")  # our own progress is enough
    try:
        args = parser().parse_args(argv)
    except SystemExit as leave:
        return int(leave.code or 0)
    with _log_on_stderr(args.debug):
        return _work(args)


def _work(args: argparse.Namespace) -> int:
    from llmrec.commands import layout

    try:
        for result in _results(args):
            _print(layout.as_json(result) if args.json else layout.plain(args.module.text(result) or ""))
        return int(args.exit_code)
    except KeyboardInterrupt:
        print("llmrec: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _explain(error, args.debug)


def _results(args: argparse.Namespace) -> Iterator[Any]:
    """What a command gives: one value, or one after the other from a command that goes on. What libraries print must not get into it."""
    with contextlib.redirect_stdout(sys.stderr):
        given = args.module.run(args)
    if not isinstance(given, Iterator):
        yield given
        return
    over = object()
    while True:
        with contextlib.redirect_stdout(sys.stderr):
            result = next(given, over)
        if result is over:
            return
        yield result


def _explain(error: Exception, debug: bool) -> int:
    from llmrec.commands.layout import cell
    from llmrec.lm.trouble import Trouble
    from llmrec.registry import UnknownName

    if debug:
        logging.getLogger("llmrec").exception("where it came from:")
    error = _homeless(error) or error
    expected = isinstance(error, (ValueError, FileNotFoundError, UnknownName, Trouble))
    said = cell(" ".join(str(error).split())) or type(error).__name__
    if expected:
        print(f"llmrec: {said}", file=sys.stderr)
        return 2
    print(f"llmrec: {type(error).__name__}: {said}: a fault of the program, --debug shows where", file=sys.stderr)
    return 1


def _homeless(error: Exception) -> ValueError | None:
    """What to say where there is no folder to keep anything in, and none can be made."""
    from llmrec import home

    root = home.home().absolute()
    if not isinstance(error, OSError) or not isinstance(error.filename, str) or root.is_dir():
        return None
    missed = Path(error.filename)
    if not (missed.is_relative_to(root) or root.is_relative_to(missed)):
        return None
    return ValueError(f"{root} cannot be made ({error.strerror}): set LLMREC_HOME to a folder that can be written")


class _Plain(logging.Formatter):
    """Messages without what a terminal obeys: they quote titles, paths and other people's errors."""

    def format(self, record: logging.LogRecord) -> str:
        from llmrec.commands import layout

        return layout.plain(super().format(record))


@contextlib.contextmanager
def _log_on_stderr(debug: bool) -> Iterator[None]:
    """Our own log and others' warnings on standard error, for as long as the command runs."""
    root, own, handler = logging.getLogger(), logging.getLogger("llmrec"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(message)s"))
    before = own.level
    root.addHandler(handler)
    own.setLevel(logging.DEBUG if debug else logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        own.setLevel(before)


def _print(text: Any) -> None:
    if text:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
