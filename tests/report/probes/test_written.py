"""Shares with their intervals, tables, and a page that is written anew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmrec.report.probes import asking, book, tally, written
from tests.report.probes import scripted


def _turn(model: str, skill: str, wording: str, holds: bool, **more: Any) -> dict[str, Any]:
    timing = {"first": 0.2, "total": 1.2, "tokens": 20}
    return {
        "model": model, "user": "u1", "probe": "p", "wording": wording, "own": False, "turn": 1, "way": skill, "skill": skill,
        "state": "asked", "message": "m", "answer": "a", "items": [], "understood": None, "checks": {"ended": True, "fresh": holds},
        "faults": [], "measures": {}, "timing": timing, "sure": None, **more,
    }  # fmt: skip


def _result() -> dict[str, Any]:
    turns = [_turn("a|b <i>", "like", "seen", n < 8) for n in range(10)] + [_turn("a|b <i>", "like", "unseen", n < 1) for n in range(4)]
    turns += [
        _turn("a|b <i>", "recommend", "seen", True, measures={"hit": n < 2, "alone": n < 3, "chance": 0.1, "n": 10}) for n in range(4)
    ]
    turns += [_turn("plain", "like", "seen", True), {"model": "plain", "skill": "why", "state": "cannot", "wording": "seen"}]
    models = [{"name": "a|b <i>", "tuned": True}, {"name": "plain", "tuned": False}]
    return asking.result(models, ["u1"], "films", book.probes(["like"]), turns, 3)


def test_wilsons_interval() -> None:
    """8 of 10: the classical example gives 0.490 and 0.943; none of none says nothing; all of 20 is not sure."""
    assert tally.Rate(10, 8).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert tally.Rate(20, 20).interval == pytest.approx((0.8389, 1.0), abs=1e-4)
    assert tally.Rate(0, 0).plain() == {"n": 0, "good": 0}


def test_what_it_comes_to() -> None:
    result = _result()
    own = result["tallies"]["a|b <i>"]
    assert own["skills"]["like"]["seen"]["good"] == 8 and own["skills"]["like"]["unseen"]["share"] == 0.25
    assert own["checks"]["fresh"]["n"] == 18 and own["checks"]["fresh"]["good"] == 13 and own["checks"]["ended"]["share"] == 1.0
    assert own["found"]["recommend"]["share"] == 0.5 and own["found"]["recommend"]["alone"]["share"] == 0.75
    assert own["latency"] == {"first": 0.2, "total": 1.2, "tokens": pytest.approx(20.0)}
    assert result["tallies"]["plain"]["skills"]["why"] == "cannot"


def test_tables_stand_seen_beside_unseen() -> None:
    tables = {t.title: t for t in written.tables(_result())}
    first = tables["Skills"]
    assert first.head == ("model", "recommend", "like", "why", "all")
    assert first.lines == (("a|b <i>", "100 / –", "80 / 25", "– / –", "86 / 25"), ("plain", "– / –", "100 / –", "cannot", "100 / –"))
    assert tables["What was held out"].lines[0] == ("a|b <i>", "50.0 [15, 85]; alone 75, chance 10.0")
    assert tables["Speed"].lines[0] == ("a|b <i>", "0.20", "1.20", "20", "18", "5")


def test_a_page_is_written_anew_between_its_marks() -> None:
    page = "# Chat\n\n<!-- probes -->\nstale\n<!-- end of probes -->\n\nmore\n"
    new = written.within(page, _result())
    assert new.startswith("# Chat\n\n<!-- probes -->\n\n") and new.endswith("\n\n<!-- end of probes -->\n\nmore\n") and "stale" not in new
    assert "| a\\|b \\<i\\> | 100 / – | 80 / 25 |" in new
    assert written.within(new, _result()) == new
    with pytest.raises(ValueError, match="lacks the lines <!-- probes --> and"):
        written.within("# Chat\n", _result())


def test_a_kept_result_gives_the_same_tables() -> None:
    result = _result()
    assert written.tables(asking.read(json.loads(json.dumps(result)))) == written.tables(result)
    small = asking.summary(result)
    assert "turns" not in small and written.tables(asking.read(json.loads(json.dumps(small)))) == written.tables(result)
    for other in ([], {"format": 9}, {"format": 1}):
        with pytest.raises(ValueError, match="no result of `llmrec probe`"):
            asking.read(other)


def test_a_sentence_says_what_was_left_out() -> None:
    turns = [{"model": "m", **t} for t in scripted.turns(scripted.Perfect(), 1, ("attribute",), genres=False)]
    result = asking.result([{"name": "m", "tuned": True}], ["u1"], "films", book.probes(["attribute"]), turns, 0)
    assert written.said(result).endswith("each with an item held out, drawn by seed 0. Left out: the catalogue has no genres.")
