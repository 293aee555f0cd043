"""docs/library.ipynb out of docs/library.py: every cell is run, and what it shows is kept with it.

    python -m benchmarks.notebook

Where it stands: outside the package. What it does not know: what the cells do. A cell begins with `# %%`, one of words with
`# %% [markdown]`; the value of a cell's last line is shown as a notebook would show it. Figures are kept as small pictures, taken by the
machine's own Chromium, because plotly's own form would be larger than all the rest and is not drawn where notebooks are only read.
"""

from __future__ import annotations

import ast
import base64
import code
import contextlib
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmrec.artifacts import write_text

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "library.py"
NOTEBOOK = SCRIPT.with_suffix(".ipynb")
MARK, WORDS = "# %%", "# %% [markdown]"
PICTURE = {"width": 820, "height": 520}
Output = dict[str, Any]
Draw = Callable[[Any], bytes]


@dataclass(frozen=True)
class Cell:
    """One cell. kind: "code" or "markdown"; source: without its mark."""

    kind: str
    source: str


def cells(script: str) -> list[Cell]:
    """The cells of a script, in order. ValueError where something stands before the first mark."""
    found: list[tuple[str, list[str]]] = []
    for line in script.splitlines():
        if line.startswith(MARK):
            found.append(("markdown" if line.startswith(WORDS) else "code", []))
        elif found:
            kind, lines = found[-1]
            lines.append(line.removeprefix("#").removeprefix(" ") if kind == "markdown" else line)
        elif line.strip():
            raise ValueError(f"{line!r} stands before the first cell: begin with {MARK!r}")
    return [Cell(kind, "\n".join(lines).strip("\n")) for kind, lines in found]


class Kernel:
    """Runs cells one after the other in one room of names, as a notebook does. draw: a plotly figure to PNG."""

    def __init__(self, draw: Draw) -> None:
        self._inside, self._draw = code.InteractiveInterpreter({"__name__": "__main__"}), draw
        self._shown: list[Output] = []

    def run(self, cell: Cell) -> list[Output]:
        """What a cell prints and shows. RuntimeError where it fails."""
        self._shown = []
        said, failed = io.StringIO(), io.StringIO()
        before, sys.displayhook = sys.displayhook, self._show
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(failed):
                body = ast.parse(cell.source).body
                for number, statement in enumerate(body, 1):
                    shown = number == len(body) and isinstance(statement, ast.Expr)
                    self._inside.runsource(ast.unparse(statement) + "\n", symbol="single" if shown else "exec")  # with its decorators
        finally:
            sys.displayhook = before
        if "Traceback (most recent call last)" in failed.getvalue():
            raise RuntimeError(f"a cell failed:\n{cell.source}\n\n{failed.getvalue()}")
        printed = [{"output_type": "stream", "name": "stdout", "text": _lines(said.getvalue())}] if said.getvalue() else []
        return printed + self._shown

    def _show(self, value: Any) -> None:
        if value is None:
            return
        data: dict[str, Any] = {"text/plain": _lines(repr(value))}
        if hasattr(value, "to_plotly_json"):
            data = {"image/png": base64.b64encode(self._draw(value)).decode(), "text/plain": ["a plotly figure"]}
        elif hasattr(value, "_repr_html_"):
            data["text/html"] = _lines(str(value.to_html(border=0)) if hasattr(value, "to_html") else str(value._repr_html_()))
        self._shown.append({"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None})


def notebook(script: str, run: Callable[[Cell], list[Output]]) -> dict[str, Any]:
    """The notebook of a script. run: a code cell to its outputs."""
    made = []
    for number, cell in enumerate(cells(script)):
        body: dict[str, Any] = {"cell_type": cell.kind, "id": f"cell-{number}", "metadata": {}, "source": _lines(cell.source)}
        if cell.kind == "code":
            body |= {"execution_count": None, "outputs": run(cell)}
        made.append(body)
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def picture(figure: Any) -> bytes:
    """A plotly figure as PNG. RuntimeError where there is no Chromium."""
    from benchmarks.studio import serving

    wide, high = (f"{PICTURE[side]}px" for side in ("width", "height"))
    page = figure.to_html(include_plotlyjs=True, full_html=True, config={"displayModeBar": False}, default_width=wide, default_height=high)
    with serving.browser() as window, serving.tab(window) as tab:
        tab.set_viewport_size(PICTURE)
        tab.set_content(page)
        tab.wait_for_selector(".main-svg")
        tab.wait_for_timeout(1_000)  # points are drawn by the graphics card, which says nothing when it has done so
        drawn: bytes = tab.locator(".js-plotly-plot").screenshot()
    return light(drawn)


def light(png: bytes) -> bytes:
    """The same picture in 256 colours: a fine ring of a tree would else be larger than the rest of the notebook."""
    from PIL import Image

    made = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256).save(made, "PNG", optimize=True)
    return made.getvalue()


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> int:
    kernel = Kernel(picture)
    made = notebook(SCRIPT.read_text(encoding="utf-8"), kernel.run)
    write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", NOTEBOOK)
    print(f"{NOTEBOOK.name}: {len(made['cells'])} cells, {NOTEBOOK.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
