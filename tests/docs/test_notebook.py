"""The notebook is what its script says, its cells were run, and they still run; the maker of notebooks does what a notebook does."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from benchmarks.notebook import NOTEBOOK, SCRIPT, Cell, Kernel, cells, light, notebook

LIMIT = 300 * 1024  # bytes: a notebook that is cloned by everybody


def undrawn(figure: object) -> bytes:
    return b"png"


def test_cells_are_read_as_they_are_written() -> None:
    script = "# %% [markdown]\n# # Title\n#\n# words\n\n# %%\na = 1\n\n\n# %%\n# a comment\na\n"
    assert cells(script) == [Cell("markdown", "# Title\n\nwords"), Cell("code", "a = 1"), Cell("code", "# a comment\na")]
    with pytest.raises(ValueError, match="before the first cell"):
        cells("import os\n# %%\n")


def test_a_kernel_prints_shows_and_remembers() -> None:
    kernel = Kernel(undrawn)
    assert kernel.run(Cell("code", "import pandas as pd\nx = 2\nfor i in range(2):\n    print(i)\n\nif x:\n    y = 3")) == [
        {"output_type": "stream", "name": "stdout", "text": ["0\n", "1\n"]}
    ]
    assert [o["data"]["text/plain"] for o in kernel.run(Cell("code", "x\nx + y"))] == [["5"]]  # the last line alone is shown
    table = kernel.run(Cell("code", "pd.DataFrame({'a': [1]})"))[0]["data"]
    assert "<table" in "".join(table["text/html"])
    figure = kernel.run(Cell("code", "import plotly.graph_objects as go\ngo.Figure()"))[0]["data"]
    assert figure["image/png"] == "cG5n" and "text/html" not in figure
    assert kernel.run(Cell("code", "x = None\nx")) == []
    assert kernel.run(Cell("code", "import os\nos.sep; y = 1")) == []  # two statements on a line
    kernel.run(Cell("code", "import functools\n@functools.cache\ndef one():\n    return 1"))
    assert "cache" in kernel.run(Cell("code", "one"))[0]["data"]["text/plain"][0]  # with its decorator


def test_a_picture_is_made_light_and_stays_the_same_size() -> None:
    import io

    import numpy as np
    from PIL import Image

    made = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(made, "PNG")
    small = light(made.getvalue())
    assert len(small) < 0.6 * len(made.getvalue()) and Image.open(io.BytesIO(small)).size == (60, 40)


def test_a_cell_that_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"a cell failed[\s\S]*ZeroDivisionError"):
        Kernel(undrawn).run(Cell("code", "1 / 0"))
    with pytest.raises(SyntaxError):
        Kernel(undrawn).run(Cell("code", "1 +"))


def test_the_notebook_is_its_script_and_was_run() -> None:
    kept = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    bare = notebook(SCRIPT.read_text(encoding="utf-8"), lambda cell: [])
    assert [c["source"] for c in kept["cells"]] == [c["source"] for c in bare["cells"]], "run `python -m benchmarks.notebook`"
    outputs = [output for cell in kept["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2 and len(outputs) >= 8
    assert not [output for output in outputs if output["output_type"] == "error"]
    for cell in (c for c in kept["cells"] if c["cell_type"] == "code"):
        results = [output for output in cell["outputs"] if output["output_type"] == "execute_result"]
        last = ast.parse("".join(cell["source"])).body[-1]
        assert len(results) <= int(isinstance(last, ast.Expr)) and "PASSIVE" not in str(cell["outputs"]), cell["id"]
        assert not results or not ast.unparse(last).startswith("print("), cell["id"]
    assert NOTEBOOK.stat().st_size < LIMIT


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_cell_still_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path))
    kernel = Kernel(undrawn)
    made = notebook(SCRIPT.read_text(encoding="utf-8"), kernel.run)
    said = ["".join(o["text"]) for c in made["cells"] for o in c.get("outputs", []) if o["output_type"] == "stream"]
    assert said[0].startswith("943 users, 1,682 films") and any("Star Wars" in text for text in said)
