"""The frame and the map of the Tokens page on the fake backend: what a click, an area, a search and an address do."""

from __future__ import annotations

from typing import Any

import pytest

from app import picking, shared
from app.seam.maps import Area, Lay
from tests.app.seen import html, said

VIEW = "views/tokens.py"


def do(at: Any, chart: str = "atlas", points: Any = (), box: Any = (), lasso: Any = ()) -> Any:
    """What the browser says after a deed on the chart."""
    at.session_state[chart] = {"selection": {"points": list(points), "point_indices": [], "box": list(box), "lasso": list(lasso)}}
    at.run()
    assert not at.exception, at.exception
    return at


def click(at: Any, side: str, index: int, chart: str = "atlas") -> Any:
    return do(at, chart, [{"point_index": 99, "customdata": [side, index]}])


def test_a_click_takes_the_point_into_hand_and_draws_no_new_figure(fake: Any, page: Any) -> None:
    at = page(VIEW)
    before, ring = at.get("plotly_chart")[0].proto.id, at.session_state["focus"]
    click(at, "item", 3)
    assert (
        at.query_params["item"] == "4" and at.selectbox(key="find").value == "item:4" and "Toy&#32;Story" in html(at).replace(" ", "&#32;")
    )
    assert at.get("plotly_chart")[0].proto.id == before and at.session_state["focus"] == ring != "item:4"
    click(at, "user", 1)
    assert at.query_params["user"] == "101" and "item" not in at.query_params


def test_a_link_to_another_node_is_followed_whatever_is_in_hand_and_once(fake: Any, page: Any) -> None:
    at = click(page(VIEW, item="9"), "item", 3)
    at.query_params["item"] = "9"  # the same link once more
    at.run()
    assert at.selectbox(key="find").value == at.session_state["node"] == at.session_state["focus"] == "item:9"
    at.selectbox(key="find").set_value("item:4").run()
    at.run()
    assert at.session_state["node"] == "item:4" and at.query_params["item"] == "4"


def test_a_deed_is_done_once_and_a_later_search_is_not_undone_by_it(fake: Any, page: Any) -> None:
    at = click(page(VIEW), "item", 3)
    at.selectbox(key="find").set_value("item:9").run()
    assert at.query_params["item"] == "9" and at.session_state["focus"] == "item:9"


def test_an_area_gives_a_table_of_everybody_inside_it(fake: Any, page: Any) -> None:
    at = do(page(VIEW), points=[{"customdata": ["item", 0]}], box=[{"x": [-1, 8], "y": [-1, 6]}])
    inside = [n for n, x, y in fake.coordinates("alpha", Lay()).itertuples(index=False) if x <= 8 and y <= 6]
    assert 1 < len(inside) < 18 and f"{len(inside)} inside what you drew" in said(at)
    assert at.query_params["area"] == "umap~box~-1,8~-1,6" and "item" not in at.query_params
    again = page(VIEW, area="umap~box~-1,8~-1,6")
    assert f"{len(inside)} inside what you drew" in said(again)


def test_an_area_is_drawn_into_the_figure_only_where_the_hand_did_not_draw_it(fake: Any, page: Any) -> None:
    box = {"x": [-1, 8], "y": [-1, 6]}
    at = do(page(VIEW), box=[box])
    assert not any(fake.outlines)  # a new figure would lose the zoom
    at.selectbox(key="find").set_value("item:9").run()
    assert fake.outlines[-1] == (Area("box", (-1.0, 8.0), (-1.0, 6.0)),)
    at.button(key="area_forget").click().run()
    assert fake.outlines[-1] == ()
    page(VIEW, area="umap~box~-1,8~-1,6")
    assert fake.outlines[-1] == (Area("box", (-1.0, 8.0), (-1.0, 6.0)),)


def test_an_area_is_left_by_its_button_by_another_deed_and_by_another_map(fake: Any, page: Any) -> None:
    address = {"area": "umap~box~-1,8~-1,6"}
    at = page(VIEW, **address)
    at.button(key="area_forget").click().run()
    assert "inside what you drew" not in said(at) and "area" not in at.query_params
    at = do(do(page(VIEW), box=[{"x": [-1, 8], "y": [-1, 6]}]))
    assert "inside what you drew" not in said(at)
    at = page(VIEW, **address)
    at.segmented_control(key="lay_how").set_value("PCA").run()
    assert "inside what you drew" not in said(at) and at.query_params["how"] == "pca" and "area" not in at.query_params


def test_an_area_survives_a_look_at_another_part(fake: Any, page: Any) -> None:
    at = do(page(VIEW), box=[{"x": [-1, 8], "y": [-1, 6]}])
    at.segmented_control(key="section_part").set_value("moved").run()
    assert "Choose a second run" in said(at)
    at.segmented_control(key="section_part").set_value("map").run()
    assert "inside what you drew" in said(at)


def test_settings_of_the_address_reach_the_map_and_nonsense_does_not(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Lay] = []
    drawn = fake.atlas
    monkeypatch.setattr(fake, "atlas", lambda run, focus, dark, lay, outline: (asked.append(lay), drawn(run, focus, dark, lay))[1])
    page(VIEW, neighbors="30", dist="0.5", seed="7")
    assert asked[-1] == Lay("UMAP", 30, 0.5, 7)
    page(VIEW, neighbors="many", dist="nan", seed="-3", how="pca")
    assert asked[-1] == Lay("PCA", 15, 0.1, 0)
    at = page(VIEW)
    at.number_input(key="lay_neighbors").set_value(50).run()
    assert asked[-1].neighbors == 50 and at.query_params["neighbors"] == "50"


def test_both_layouts_are_scored_beside_the_map(fake: Any, page: Any) -> None:
    shown = html(page(VIEW))
    assert "UMAP" in shown and "0.900" in shown and "PCA" in shown and "0.800" in shown and "seed 0" in shown


def test_many_nodes_are_searched_by_words(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "LISTED", 5)
    at = page(VIEW)
    assert not [box for box in at.selectbox if box.key == "find"]
    at.text_input(key="find_words").set_value("alien").run()
    at.button_group(key="found").set_value("item:2").run()
    assert at.query_params["item"] == "2" and at.session_state["focus"] == "item:2"
    at.text_input(key="find_words").set_value("zzz").run()
    assert "try fewer letters" in said(at)


def test_two_runs_are_compared_and_a_row_takes_the_item_in_hand(fake: Any, page: Any) -> None:
    at = page(VIEW, **{"with": "beta", "part": "moved"})
    assert at.selectbox(key="with").value == "beta" and "Items changed 75% of their companions" in said(at)
    assert "Points as CSV" in [button.proto.label for button in at.get("download_button")]
    assert list(at.dataframe[0].value["title"]) == ["Blade Runner", "Alien"]
    click(at, "item", 4, chart="both")
    assert at.query_params["item"] == "5"


def test_choosing_a_run_to_compare_with_opens_what_moved(fake: Any, page: Any) -> None:
    at = page(VIEW)
    at.selectbox(key="with").set_value("beta").run()
    assert at.segmented_control(key="section_part").value == "moved" and at.query_params["with"] == "beta"


def test_a_run_over_other_items_is_refused_with_a_sentence(fakes: Any, page: Any) -> None:
    shared.use(fakes.FakeBackend(names=("alpha", "small")))
    try:
        assert "choose a run over the same items" in said(page(VIEW, **{"with": "small", "part": "moved"}))
    finally:
        shared.use(None)
