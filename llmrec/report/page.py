"""A comparison as one HTML file: opens anywhere without a network, holds its charts, tables, protocol, recipes and how to cite.

Where it stands: last; `llmrec compare --html` and the Compare page write it. What it does not know: runs, how anything was measured.

The file asks for nothing: plotly.js stands in it once, fonts are the reader's own, and its policy forbids every request. Names come from
people and are text in it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from llmrec.report import standings
from llmrec.report.comparison import Comparison
from llmrec.report.standings import Standing, short

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
CITE = (
    "META ID: Huang, Yang, Shen, Liu, Zhan, Ye. Improving LLMs for Recommendation with Out-Of-Vocabulary Tokens. ICML 2025. "
    "arXiv 2406.08477",
    "CLLM4Rec: Zhu, Wu, Guo, Hong, Li. Collaborative Large Language Model for Recommender Systems. WWW 2024. arXiv 2311.01343",
    "TokenRec: Qu, Fan, Zhao, Li. TokenRec: Learning to Tokenize ID for LLM-based Generative Recommendations. TKDE 2025. arXiv 2406.10450",
)
STYLE = """
:root { color-scheme: light; --ink: #1f1f24; --quiet: #5c6663; --line: #dfe3df; --green: #2c6456; --paper: #fcfbf8; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.4rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 "Source Sans 3", "Source Sans Pro", system-ui, sans-serif; }
h1, h2 { font-family: "Source Serif 4", "Source Serif Pro", Georgia, serif; font-weight: 600; line-height: 1.2; overflow-wrap: anywhere; }
h1 { font-size: 2.1rem; margin: 0 0 .3rem; } h2 { font-size: 1.4rem; margin: 2.4rem 0 .4rem; }
.lead { font-size: 1.1rem; } .quiet { color: var(--quiet); font-size: .92rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; width: 100%; }
caption { text-align: left; color: var(--quiet); padding-bottom: .3rem; }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; border-bottom: 2px solid var(--ink); } th:first-child, td:first-child { text-align: left; }
td.best { font-weight: 700; color: var(--green); }
pre { background: #f2f1ec; padding: .8rem 1rem; overflow-x: auto; font-size: .82rem; border-radius: .4rem; }
details { margin: .4rem 0; } summary { cursor: pointer; } figure { margin: .8rem 0 1.2rem; }
figcaption { color: var(--quiet); font-size: .92rem; }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
"""


def html(compared: Comparison, made: str = "") -> str:
    """The whole file as text. made: when, as it should be written; now where nothing is said."""
    from plotly.offline import get_plotlyjs

    title = f"Comparison on {compared.ground.data}"
    said = made or time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(compared.asked())}. Made by llmrec {_version()} on {escape(said)}.</p>',
        f'<p class="lead">{escape(compared.said())}</p>',
        *_numbers(compared),
        *_figures(compared),
        *_protocol(compared),
        *_recipes(compared.standings),
        "<h2>How to cite</h2>",
        "<p>Cite the papers whose methods you use, and this software by its CITATION.cff.</p>",
        "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in CITE) + "</ul>",
    ]
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title><style>{STYLE}</style>'
        f"<script>{get_plotlyjs()}</script>"
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


def table(head: Sequence[str], lines: Sequence[Sequence[str]], caption: str, best: frozenset[tuple[int, int]] = frozenset()) -> str:
    """Texts as a table in HTML."""
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    rows = "".join(
        "<tr>" + "".join(f"<td{' class=best' if (i, j) in best else ''}>{escape(cell)}</td>" for j, cell in enumerate(line)) + "</tr>"
        for i, line in enumerate(lines)
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _numbers(compared: Comparison) -> list[str]:
    metrics = compared.ground.rules.headline
    told = ["<h2>Numbers</h2>", table(*_with_best(compared, metrics))]
    rest = tuple(m for m in compared.metrics if m not in metrics)
    if rest:
        head, lines, _ = compared.written(rest)
        wide = 3 + len(rest)
        inner = table(head[:1] + head[3:wide], [line[:1] + line[3:wide] for line in lines], "The protocol's other cuts")
        told.append(f"<details><summary>More cuts</summary>{inner}</details>")
    if len(compared.standings) > 1 and compared.against:
        head, lines = compared.written_differences()
        what = (
            f"Paired differences, the others less {compared.title_of(compared.against)}; p from the same draws, "
            f"corrected after Holm for {len(lines)} comparisons"
        )
        told += ["<h2>Differences</h2>", table(head, lines, what)]
    return told


def _with_best(compared: Comparison, metrics: tuple[str, ...]) -> tuple[list[str], list[list[str]], str, frozenset[tuple[int, int]]]:
    head, lines, best = compared.written(metrics)
    return head, lines, f"{compared.asked()}; 95 % intervals by bootstrap over users; the best of each column is bold", best


def _figures(compared: Comparison) -> list[str]:
    from llmrec.view import scores

    out = []
    if compared.differences():
        shown = scores.differences(
            compared.difference_table(), f"difference in {short(compared.headline)}", compared.title_of(compared.against)
        )
        out.append(_figure(shown, "differences", "Each less the reference; whiskers are 95 % paired bootstrap intervals over users."))
    parts = compared.segments()
    if len(parts):
        words = "By how often the target was taken in training: the fifth taken most, the others, and what training never saw."
        out += ["<h2>Segments</h2>", _figure(scores.segments(parts, short(compared.headline)), "segments", words)]
        lines = [[str(value) if not isinstance(value, float) else f"{value:.4f}" for value in row] for row in parts.to_numpy().tolist()]
        out.append(f"<details><summary>The same as a table</summary>{table(list(parts.columns), lines, words)}</details>")
    found = standings.cuts(compared.standings, compared.headline.partition("@")[0])
    if len(found):
        kind = short(compared.headline).partition("@")[0]
        out += ["<h2>As the list grows</h2>", _figure(scores.cuts(found, f"{kind}@k"), "cuts", "Bands are 95 % bootstrap intervals.")]
    whole = compared.table()
    if len(whole) and whole["latency"].notna().any():
        shown = scores.cost(whole, short(compared.headline), {"latency": "milliseconds a person, log scale"})
        words = f"Up and to the left is better; latency on {compared.machine}."
        out += ["<h2>Accuracy against cost</h2>", _figure(shown.update_layout(updatemenus=[]), "cost", words)]
    return out


def _figure(figure: Any, name: str, caption: str) -> str:
    figure.update_layout(title=None, height=420, margin={"l": 8, "r": 8, "t": 12, "b": 8}, font={"family": "system-ui, sans-serif"})
    inner = figure.to_html(
        full_html=False, include_plotlyjs=False, div_id=f"figure-{name}", config={"displaylogo": False, "responsive": True}
    )
    return f'<figure role="img" aria-label="{escape(caption)}">{inner}<figcaption>{escape(caption)}</figcaption></figure>'


def _protocol(compared: Comparison) -> list[str]:
    rules, ground = compared.ground.rules, compared.ground
    facts = (
        f"Protocol {rules.name}: {rules.what} Source: {rules.source}.",
        f"{ground.n_users:,} users asked, {ground.n_items:,} items ranked in full, {ground.n_train:,} interactions in training; "
        f"fingerprint of the split {ground.mark}.",
        f"Seen items are {compared.seen}. Intervals: {standings.DRAWS:,} bootstrap draws of users, percentile, seed {standings.SEED}; "
        "differences are paired by user.",
        f"Seconds of runs are those of the machine they were trained on; latency was measured on {compared.machine}.",
        *(f"{name}: {what}." for name, what in standings.COSTS.items()),
    )
    return ["<h2>How it was measured</h2>", "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in facts) + "</ul>"]


def _recipes(shown: Sequence[Standing]) -> list[str]:
    out = ["<h2>Recipes and versions</h2>"]
    for one in shown:
        if one.kind == "baseline":
            inner = f"<p>The baseline <code>{escape(one.name)}</code> with its default settings, seed {one.facts.get('seed')}.</p>"
        else:
            versions: Mapping[str, str] = one.facts.get("versions") or {}
            made = ", ".join(f"{name} {version}" for name, version in versions.items())
            when = f"Seed {one.facts.get('seed')}, created {one.facts.get('created')}; {made}"
            inner = f'<pre>{escape(str(one.facts.get("recipe", "")))}</pre><p class="quiet">{escape(when)}</p>'
        out.append(f"<details><summary>{escape(one.title)}</summary>{inner}</details>")
    return out


def _version() -> str:
    import llmrec

    return llmrec.__version__
