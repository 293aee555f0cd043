"""A comparison as a file: LaTeX, Markdown, CSV or one page of HTML.

Where it stands: last, over `comparison`; the command line and the Compare page write what is made here. What it does not know: runs.
"""

from __future__ import annotations

from llmrec.report import latex, page, spreadsheet, table
from llmrec.report.comparison import Comparison
from llmrec.report.standings import short

MIME = {"latex": "application/x-tex", "markdown": "text/markdown", "csv": "text/csv", "html": "text/html"}
ENDING = {"latex": "tex", "markdown": "md", "csv": "csv", "html": "html"}


def written(compared: Comparison, form: str) -> str:
    """The comparison as text in one of the forms of `MIME`. ValueError names them."""
    if form not in MIME:
        raise ValueError(f"no file is called {form!r}: there are {', '.join(MIME)}")
    if form == "html":
        return page.html(compared)
    if form == "csv":
        return spreadsheet.to_csv(compared.table()).decode()
    return _latex(compared) if form == "latex" else _markdown(compared)


def _latex(compared: Comparison) -> str:
    metrics = compared.ground.rules.headline
    head, lines, best = compared.written(metrics)
    caption = f"{compared.asked()}; 95 % intervals by bootstrap over users. The best of each column is bold."
    text = latex.booktabs(head, lines, caption, f"tab:{compared.ground.data}", best)
    if len(compared.standings) < 2 or not compared.against:
        return text
    less = f"Paired differences in {short(compared.headline)}, less {compared.title_of(compared.against)}; p after Holm."
    return text + "\n" + latex.booktabs(*compared.written_differences(), less, f"tab:{compared.ground.data}-differences")


def _markdown(compared: Comparison) -> str:
    head, lines, best = compared.written(compared.ground.rules.headline)
    shown = [[f"**{cell}**" if (i, j) in best and cell else _plain(cell) for j, cell in enumerate(line)] for i, line in enumerate(lines)]
    blocks = [f"{_plain(compared.asked())}\n", table.markdown(_rows(head, shown))]
    if len(compared.standings) > 1 and compared.against:
        others, less = compared.written_differences()
        blocks.append("\n" + table.markdown(_rows(others, [[_plain(cell) for cell in line] for line in less])))
    return "\n".join(blocks)


def _rows(head: list[str], lines: list[list[str]]) -> list[table.Row]:
    return [dict(zip((_plain(name).replace("|", "\\|") or " " for name in head), line, strict=True)) for line in lines]


def _plain(text: str) -> str:
    """A cell that Markdown shows as it is written: nothing in it opens a tag, a link or an emphasis."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#" else c for c in text)
