"""The comparison as files: what people named is text in each, the page asks for nothing, and the numbers are the comparison's own."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from typing import Any

import numpy as np
import pytest

from llmrec.report import files, page, standings
from llmrec.report.comparison import Comparison, Ground
from llmrec.report.places import Places
from llmrec.report.standings import Standing

HOSTILE = '</script><script>alert("1")</script><img src=x onerror=alert(1)>|_\\{$'


def placed(places: list[int]) -> Places:
    n = len(places)
    whole = np.arange(n, dtype=np.int32)
    item = (whole % 6).astype(np.int32)
    return Places("test masked", whole, whole, item, np.asarray(places, dtype=np.int32), np.array([3, 0, 1]), 30, 0.2)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    rng = np.random.default_rng(0)
    ground = Ground('films"><b>', "loo", "0123456789ab", 60, 6, 600)
    facts = {"scheme": "metaid", "head": "trie", "seed": 0, "recipe": f'name = "{HOSTILE}"', "created": "2026", "versions": {"x": HOSTILE}}
    found = (
        Standing(
            HOSTILE, "run", facts, {"latency": 3.0, "training": 200.0, "parameters": 10.0, "pieces": 2.0}, placed([1] * 40 + [0] * 20)
        ),
        Standing("=1+1", "run", facts, {"latency": 1.0}, placed(rng.integers(0, 31, 60).tolist())),
        Standing("ease", "baseline", {"seed": 0}, {}, placed([0] * 60)),
    )
    bands = {"head": np.arange(6) < 3, "tail": np.arange(6) >= 3, "cold": np.zeros(6, dtype=bool)}
    return Comparison(ground, "test", "masked", found, bands, machine="here")


class _Seen(html.parser.HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def written(compared: Comparison) -> str:
    return page.html(compared, "today")


def test_the_page_asks_for_nothing_and_forbids_to(written: str) -> None:
    seen = _Seen(written).tags
    policy = next(found["content"] for tag, found in seen if found.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'") and "http" not in policy
    assert not [found for _, found in seen if {"src", "href", "srcset", "action", "data"} & set(found)]
    assert not re.search(r"@import|url\(", page.STYLE)


def test_plotly_stands_in_it_once_and_every_figure_is_drawn(written: str) -> None:
    from plotly.offline import get_plotlyjs

    assert written.count(get_plotlyjs()[:2000]) == 1
    assert re.findall(r'<div id="figure-(\w+)"', written) == ["differences", "segments", "cuts", "cost"]


def test_what_people_wrote_is_text(written: str) -> None:
    seen = _Seen(written).tags
    assert "img" not in [tag for tag, _ in seen] and not [found for _, found in seen if "onerror" in found]
    assert [tag for tag, _ in seen].count("b") == 0
    assert 'alert("1")' not in written.replace('alert(\\"1\\")', "")  # nowhere outside a quoted text of a figure
    assert "</script><script>alert" not in written


def test_the_tables_are_well_formed_and_hold_the_numbers(written: str, compared: Comparison) -> None:
    assert "0.6667 (0.5" in written and "0123456789ab" in written and "Holm" in written
    tags = [tag for tag, _ in _Seen(written).tags]
    assert tags.count("table") >= 4 and tags.count("th") > 10
    (less,) = [d for d in compared.differences() if d.name == "ease"]
    assert standings.signed(less.less) in written and less.less.mean == pytest.approx(-2 / 3)


def test_csv_holds_numbers_and_no_formula(compared: Comparison) -> None:
    lines = list(csv.DictReader(io.StringIO(files.written(compared, "csv"))))
    assert float(lines[0]["H@10"]) == pytest.approx(2 / 3) and float(lines[0]["H@10 low"]) < 2 / 3 < float(lines[0]["H@10 high"])
    assert lines[1]["name"] == "'=1+1" and lines[2]["pieces"] == ""


def test_latex_and_markdown_have_a_line_for_each_and_nothing_opens(compared: Comparison) -> None:
    tex = files.written(compared, "latex")
    assert tex.count(r"\begin{table}") == tex.count(r"\end{table}") == 2 and r"\textless{}script" in tex
    assert tex.count(r"\textbf{") == 2  # the best H@10 and NDCG@10
    md = files.written(compared, "markdown")
    assert md.count("\n| ---") == 2 and "\\<script" in md and not re.search(r"(?<!\\)<", md)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in md.splitlines() if line.startswith("|")}
    assert len(widths) == 2  # each of the two tables has one


def test_the_best_stands_first_and_is_told_with_its_doubt(compared: Comparison) -> None:
    ranked = compared.ranked()
    assert ranked.standings[0].name == HOSTILE and ranked.standings[-1].name == "ease"
    assert compared.said().startswith(f"{HOSTILE} is first by H@10: 0.6667 (")
    rest = [d for d in standings.differences(compared.standings, HOSTILE, "hit@10") if not d.less.excludes_zero]
    assert ("cannot be told" in compared.said()) is bool(rest)


def test_segments_are_the_means_of_their_users(compared: Comparison) -> None:
    table = compared.segments().set_index(["name", "targets"])
    places = compared.standings[0].places
    assert places is not None
    popular = [place for item, place in zip(places.item, places.place, strict=True) if item < 3]
    assert table.loc[(HOSTILE, "popular"), "H@10"] == pytest.approx(sum(0 < p <= 10 for p in popular) / len(popular))
    assert table.loc[(HOSTILE, "popular"), "users"] == len(popular) and "not in training" not in table.index.get_level_values(1)


def test_cuts_never_fall_and_end_at_what_was_kept(compared: Comparison) -> None:
    for _, mine in standings.cuts(compared.standings).groupby("name"):
        assert mine["k"].tolist() == list(range(1, 31)) and (np.diff(mine["value"]) >= 0).all()
        assert (mine["low"] <= mine["value"]).all() and (mine["value"] <= mine["high"]).all()


def test_what_is_only_reported_stands_with_its_own_interval() -> None:
    old = Standing("old", "run", {}, {}, None, {"metrics": {"hit@10": 0.3}, "intervals": {"hit@10": [0.2, 0.4]}})
    found = Comparison(Ground("d", "loo", "m", 5, 5, 5), "test", "masked", (old,))
    assert found.spans[0]["hit@10"].low == 0.2 and found.differences() == [] and found.against == ""
    assert "not measured user by user" in found.said() and page.html(found)
    with pytest.raises(ValueError, match="choose another reference"):
        standings.differences((old,), "old", "hit@10")


def test_an_unknown_form_names_those_there_are(compared: Comparison) -> None:
    with pytest.raises(ValueError, match="latex, markdown, csv, html"):
        files.written(compared, "word")


def test_the_command_says_the_same_as_json(compared: Comparison) -> None:
    from llmrec.commands import compare

    plain: dict[str, Any] = json.loads(json.dumps(compare.plain(compared)))
    assert plain["recommenders"][0]["metrics"]["hit@10"][0] == pytest.approx(2 / 3)
    assert plain["differences"]["hit@10"]["ease"]["difference"][0] == pytest.approx(-2 / 3)
    assert plain["differences"]["hit@10"]["ease"]["worse"] == 40


@pytest.mark.parametrize("n", [1, 7, 300])
def test_kept_draws_are_those_of_the_bootstrap(n: int) -> None:
    from llmrec.report.compare import bootstrap

    values = np.random.default_rng(n).random((n, 3))
    plain = bootstrap(values, np.random.default_rng(standings.SEED), standings.DRAWS)
    assert np.allclose(standings.resampled(values), plain, atol=1e-12) and standings.resampled(values).shape == (standings.DRAWS, 3)
