"""The tree block of the README, from what git tracks. `python -m tests.project.tree` prints it, `--write` puts it into the README.

Words that stand in the README are kept; a new Python file brings the start of its docstring, any other file a dash to be filled.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FENCE = re.compile(r"```text tree\n(.*?)```", re.S)
PACKAGES = ["data", "embed", "ids", "lm", "recommend", "report", "runs", "view", "commands"]  # in the order of the flow
WHOLE = ("app/", "llmrec/", "benchmarks/", "docs/")  # listed file by file; of other folders one line each
FOLDED = ("benchmarks/measured/", "benchmarks/recipes/", "benchmarks/results/", "llmrec/lm/templates/")  # one line for the folder
WIDTH = 27
LONGEST = 96  # of words taken from a docstring; longer ones lose their last clause


def tracked(root: Path = ROOT) -> list[str]:
    """Every path under version control that is on the disk, with forward slashes."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted(path for path in listed.split("\0") if path and (root / path).is_file())


def entries(paths: list[str]) -> list[str]:
    """What the tree must list: folders end in a slash and come before what they hold; `__init__.py` and `py.typed` go without saying."""
    wanted: set[str] = set()
    for path in paths:
        if path.endswith(("__init__.py", "py.typed")):
            continue
        parts = path.split("/")
        folders = ["/".join(parts[: i + 1]) + "/" for i in range(len(parts) - 1)]
        folded = next((f for f in folders if f in FOLDED), None)
        if not path.startswith(WHOLE):
            wanted.add(folders[0] if folders else path)
        elif folded:
            wanted.update(folders[: folders.index(folded) + 1])
        else:
            wanted.update([*folders, path])
    return sorted(wanted, key=_order)


def read(text: str) -> dict[str, str]:
    """The tree block of a README: path -> its words, in order."""
    block = FENCE.search(text)
    if block is None:
        raise ValueError("README.md has no block that opens with ```text tree")
    out: dict[str, str] = {}
    stack: list[str] = []
    for line in block.group(1).splitlines():
        if not line.strip():
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        name, _, words = line.strip().partition(" ")
        stack = [*stack[:depth], name]
        out["".join(stack)] = words.strip()
    return out


def render(wanted: list[str], words: dict[str, str]) -> str:
    """The block's lines for these entries."""
    lines = []
    for path in wanted:
        depth = path.rstrip("/").count("/")
        name = path.rstrip("/").rsplit("/", 1)[-1] + ("/" if path.endswith("/") else "")
        lines.append(f"{'  ' * depth + name:<{WIDTH}} {words.get(path) or _first_sentence(path)}".rstrip())
    return "\n".join(lines) + "\n"


def _order(path: str) -> list[tuple[int, str]]:
    """Files before folders in llmrec, sub-packages in the order of the flow; elsewhere by name."""
    keys = []
    parts = path.rstrip("/").split("/")
    for i, part in enumerate(parts):
        folder = i < len(parts) - 1 or path.endswith("/")
        rank = PACKAGES.index(part) + 1 if parts[0] == "llmrec" and i == 1 and folder and part in PACKAGES else 0
        keys.append((rank if rank else 99 * folder * (i > 0), part.lower()))
    return keys


def _first_sentence(path: str) -> str:
    source = ROOT / path / "__init__.py" if path.endswith("/") else ROOT / path
    if source.suffix != ".py" or not source.is_file():
        return "-"
    said = (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "-").splitlines()[0]
    words = re.split(r"(?<=\.)\s", said)[0].rstrip(".:")
    while len(words) > LONGEST and re.search(r"[,:;] ", words):
        words = words[: max(words.rfind(stop) for stop in (", ", ": ", "; "))]
    return words


def main() -> None:
    text = README.read_text(encoding="utf-8")
    block = render(entries(tracked()), read(text))
    if "--write" in sys.argv[1:]:
        README.write_text(FENCE.sub(lambda _: f"```text tree\n{block}```", text), encoding="utf-8")
    else:
        print(block, end="")


if __name__ == "__main__":
    main()
