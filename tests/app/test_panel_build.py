"""The panel as Gradio gets it: its events, who may call them, and that every part of it has a control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app.chat import addresses, api, controls, look, panel, sides
from app.chat.acts import Acts
from app.chat.stage import MOST
from app.chat.streaming import ROOM, Visits
from app.seam.chat import Model
from tests.app.talking import Visit


def test_programs_find_the_documented_functions_and_nothing_of_the_page(fake: Any) -> None:
    built = panel.build(lambda: fake)
    public = {fn.api_name for fn in built.fns.values() if fn.api_visibility == "public"}
    assert public == set(api.NAMES)


def test_every_side_streams_by_itself_in_one_wide_group(fake: Any) -> None:
    built = panel.build(lambda: fake)
    streams = [fn for fn in built.fns.values() if fn.concurrency_id == "talk"]
    assert len(streams) == MOST and all(fn.concurrency_limit == ROOM == 40 and fn.types_generator for fn in streams)
    assert len({fn.outputs[0]._id for fn in streams}) == MOST
    stops = [fn for fn in built.fns.values() if any(isinstance(b, int) and t == "click" for b, t in fn.targets) and fn.name == "stop"]
    assert len(stops) == MOST + 1 and not any(fn.queue for fn in stops)


def test_every_part_that_an_act_draws_has_a_control(fake: Any, tmp_path: Path) -> None:
    with gr.Blocks():
        made = controls.build(lambda model, begun: [])
    visit = Visit(Acts(lambda: fake, tmp_path / "votes.jsonl"))
    for parts in (visit.open(models="alpha,beta", blind="1"), visit.say("something like Alien"), visit.vote("A"), *visit.grown):
        known = made.updates(parts)
        assert set(known) <= set(made.all)


@pytest.mark.parametrize(
    ("params", "models", "user", "blind", "message"),
    [
        ({}, (), "", False, ""),
        ({"models": "a, b,,a", "user": " 7 ", "blind": "TRUE", "message": "hi"}, ("a", "b"), "7", True, "hi"),
        ({"run": "a", "user": "7"}, ("a",), "7", False, ""),
        ({"models": "a,b,c,d,e", "blind": "0", "message": "x" * 9_000}, ("a", "b", "c", "d"), "", False, "x" * 2_000),
    ],
)
def test_addresses_are_read(params: dict[str, str], models: tuple[str, ...], user: str, blind: bool, message: str) -> None:
    assert addresses.read(params) == addresses.Wanted(models, user, blind, message)


def test_what_is_written_reads_the_same() -> None:
    from urllib.parse import parse_qsl

    told = addresses.write(["a", "knn@b"], "7 & co", True, "like <Heat> & 100%?")
    assert addresses.read(dict(parse_qsl(told))) == addresses.Wanted(("a", "knn@b"), "7 & co", True, "like <Heat> & 100%?")


def models(*told: tuple[str, str, bool]) -> list[Model]:
    return [Model(key, key, "films", scheme, tuned) for key, scheme, tuned in told]


def test_company_is_tuned_and_of_another_scheme_if_there_is_such() -> None:
    known = models(("a", "sid", True), ("b", "sid", True), ("c", "cid", True), ("d", "rid", False), ("pop@a", "", False))
    assert sides.standing(known, ())[0] == ("a", "c")
    assert sides.standing(known[:2] + known[3:], ("a",))[0] == ("a", "b")
    assert sides.standing(known[3:], ())[0] == ("d", "pop@a")
    assert sides.standing(known[:1], ("a",)) == (("a",), ()) and sides.standing([], ()) == ((), ())
    assert sides.standing(known, ("b", "pop@a", "b"))[1] == ("b stands here already; each side needs a model of its own.",)


def test_lists_tell_fixed_speakers_and_equal_names_apart() -> None:
    two = [Model("x", "Run", "films", "sid", True), Model("y", "Run", "films", "sid", False)]
    assert sides.choices(two) == [("Run · x", "x"), ("Run · fixed sentences · y", "y")]


def test_visits_count_all_and_keep_each_apart() -> None:
    visits = Visits(most=5)
    assert visits.begin("a", range(4)) and not visits.begin("b", range(2)) and visits.begin("b", [0])
    visits.stop("a", 2)
    flags = [visits.claim("a", n) for n in range(4)]
    assert [flag is not None and flag.is_set() for flag in flags] == [False, False, True, False]
    assert visits.claim("a", 0) is None and visits.claim("a", 7) is None  # an answer begins once
    stopped, kept = flags[2], flags[0]
    assert stopped is not None and kept is not None
    visits.end("a", 2, stopped)
    assert visits.going("a") == (0, 1, 3) and visits.begin("b", [1])
    visits.leave("a")
    assert visits.going("a") == () and kept.dropped and kept.is_set()


def test_the_look_travels_whole() -> None:
    assert "@container" in look.head() and "llmrecPanel" in look.head() and "</script>" in look.head()
    script = (Path(look.__file__).parent / "panel.js").read_text(encoding="utf-8")
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script and "</script" not in script
