"""LaTeX: a table of texts as a booktabs table, in which nothing that stands in a cell is a command.

Where it stands: beside `table` and `spreadsheet`, before a file is written. What it does not know: what the table shows.
"""

from __future__ import annotations

from collections.abc import Sequence

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "[": "{[}",  # after the end of a line these two would belong to it
    "*": "{*}",
    "−": "--",
    "–": "--",
    "\u00a0": "~",
}


def escape(text: str) -> str:
    """A text that LaTeX sets as it is written, on one line: no command, and no two signs that it would draw as one."""
    out = ""
    for before, c in zip(" " + text, text, strict=False):
        out += "{}" if (c == before and c in "-'`,") or before + c in ("?`", "!`") else ""
        out += SPECIAL.get(c, c if c.isprintable() else " ")
    return out


def booktabs(
    head: Sequence[str], lines: Sequence[Sequence[str]], caption: str, label: str, bold: frozenset[tuple[int, int]] = frozenset()
) -> str:
    """A whole table environment for `\\usepackage{booktabs}`. bold: (line, column) of cells that stand out.

    The first column is set left, the others right. label: letters, digits, `:` and `-`; anything else is left out.
    """
    key = "".join(c for c in label if c.isascii() and (c.isalnum() or c in ":-"))
    body = [" & ".join(_cell(cell, (i, j) in bold) for j, cell in enumerate(line)) + r" \\" for i, line in enumerate(lines)]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escape(caption)}}}",
            rf"  \label{{{key}}}",
            rf"  \begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
            r"    \toprule",
            f"    {' & '.join(map(escape, head))} " + r"\\",
            r"    \midrule",
            *(f"    {line}" for line in body),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _cell(text: str, bold: bool) -> str:
    return rf"\textbf{{{escape(text)}}}" if bold and text else escape(text)
