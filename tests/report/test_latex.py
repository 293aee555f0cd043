"""LaTeX sets what was written: every cell is text, whatever it holds."""

from __future__ import annotations

import re

import pytest

from llmrec.report import latex

ACTIVE = re.compile(r"(?<!\\)[&%$#_{}~^]")
WORDS = re.compile(r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|char34)\{\}|\{\[\}|\{\*\}|\{\}")


@pytest.mark.parametrize("c", list('\\&%$#_{}~^<>|"[*'))
def test_no_sign_is_left_to_tex(c: str) -> None:
    said = latex.escape(f"a{c}b")
    rest = WORDS.sub("", said)
    assert not ACTIVE.search(rest), said
    assert rest.replace("\\", "") in ("ab", f"a{c}b")
    assert "<" not in said and ">" not in said


def test_an_attack_is_a_word() -> None:
    assert latex.escape(r"\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"
    assert latex.escape("a\nb\x00c") == "a b c"
    assert latex.escape("x--y``z") == "x-{}-y`{}`z"
    assert latex.escape("Why?`a!`") == "Why?{}`a!{}`"  # or they are the Spanish signs


def test_a_table_has_its_rules_its_bold_and_as_many_cells_as_columns() -> None:
    told = latex.booktabs(["", "H@10"], [["a & b", "0.1"], ["[c]", "0.2"]], "50 % more", "tab:x y}", frozenset({(1, 1)}))
    assert r"\caption{50 \% more}" in told and r"\label{tab:xy}" in told and r"\begin{tabular}{lr}" in told
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert told.count(rule) == 1
    lines = [line.strip() for line in told.splitlines() if line.strip().endswith(r"\\")]
    assert lines == [r"& H@10 \\", r"a \& b & 0.1 \\", r"{[}c] & \textbf{0.2} \\"]
    assert all(len(re.findall(r"(?<!\\)&", line)) == 1 for line in lines)
