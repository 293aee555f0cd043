"""The Compare page over the fake: what is chosen is asked, stands in the address, and every part of the page shows it."""

from __future__ import annotations

from typing import Any

import pytest

VIEW = "views/compare.py"


def table(at: Any) -> Any:
    """The data of the only table that is shown."""
    (one,) = at.dataframe
    return one.value


def texts(at: Any) -> str:
    return " ".join(
        [*(m.value for m in at.markdown), *(c.value for c in at.caption), *(i.value for i in at.info), *(w.value for w in at.warning)]
    )


def test_the_table_has_everybody_best_first_with_intervals_and_marks(fake: Any, page: Any) -> None:
    at = page(VIEW)
    shown = table(at)
    assert shown["name"].tolist() == ["alpha", "EASE", "beta", "Popularity"]
    assert shown["H@10"].tolist()[0].startswith("0.8333 (") and shown["H@10"].tolist()[0].endswith("★")
    assert not any("★" in cell for cell in shown["H@10"].tolist()[1:])
    less = shown["H@10 less alpha"].tolist()
    assert less[0] == "reference" and less[1].startswith("-0.3333 (") and less[3].endswith("▼")
    assert shown["latency"].tolist() == [3.5, 0.2, 3.5, 0.2]
    assert "alpha is first by H&#64;10" in texts(at)


def test_columns_are_switched_and_linked(fake: Any, page: Any) -> None:
    shown = table(page(VIEW, columns="segments,cuts"))
    assert "H@5" in shown.columns and "coverage" in shown.columns and "latency" not in shown.columns
    assert any(name.startswith("H@10, popular (") for name in shown.columns)


def test_what_the_address_says_is_asked(fake: Any, page: Any) -> None:
    at = page(VIEW, runs="beta", baselines="ease", seen="unmasked", part="valid", against="ease")
    asked = fake.scores().asked[-1]
    assert (asked.runs, asked.baselines, asked.part, asked.masked, asked.against) == (("beta",), ("ease",), "valid", False, "ease")
    assert "Test is read once" in texts(at)
    assert table(at).columns[4] == "H@10 less EASE"


def test_a_choice_changes_the_address(fake: Any, page: Any) -> None:
    at = page(VIEW)
    assert "runs" not in at.query_params and "seen" not in at.query_params
    at.multiselect(key="compare_runs").set_value(["beta"]).run()
    at.segmented_control(key="seen_items").set_value("unmasked").run()
    assert not at.exception
    assert at.query_params["runs"] == "beta" and at.query_params["seen"] == "unmasked"
    assert fake.scores().asked[-1].runs == ("beta",) and not fake.scores().asked[-1].masked


@pytest.mark.parametrize("part", ["differences", "segments", "cuts", "cost"])
def test_every_chart_has_its_table_and_reads_itself(fake: Any, page: Any, part: str) -> None:
    at = page(VIEW, show=part, metric="ndcg@10")
    assert not at.warning and len(at.get("plotly_chart")) == 1
    shown = table(at)
    assert len(shown) and ("NDCG@10" in " ".join(shown.columns) or part == "cuts")


def test_the_reference_is_chosen_and_compared_with(fake: Any, page: Any) -> None:
    at = page(VIEW, show="differences", against="beta")
    shown = table(at)
    assert shown["name"].tolist() == ["alpha", "EASE", "Popularity"]
    assert shown["difference in H@10"].tolist() == pytest.approx([3 / 6, 1 / 6, -2 / 6])
    assert (shown["better for"].tolist(), shown["worse for"].tolist()) == ([3, 3, 0], [0, 2, 2])
    at.selectbox(key="compare_against").set_value("ease").run()
    assert not at.exception and at.query_params["against"] == "ease"
    assert "EASE" not in table(at)["name"].tolist()


def test_gaps_lead_to_train_with_the_recipe(fake: Any, page: Any) -> None:
    at = page(VIEW, show="matrix")
    assert table(at)["H@10"].notna().sum() == 1
    box = at.selectbox(key="gap")
    assert box.options == ["metaid · items"]  # what is refused is offered to nobody
    box.set_value("metaid · items").run()
    assert "llmrec runs again alpha --set head.name=items" in at.code[0].value
    at.button(key="gap_train").click().run(timeout=120)
    assert not at.exception
    assert at.session_state["_plan"].plain["head"]["name"] == "items"


def test_files_are_offered_and_nothing_in_them_is_code(fake: Any, page: Any) -> None:
    at = page(VIEW, show="files")
    assert not at.warning and "llmrec compare alpha beta --baseline popularity --baseline ease --html comparison.html" in at.code[0].value
    scores = fake.scores()
    told = {form: scores.file(scores.asked[-1], form).decode() for form in ("csv", "latex", "markdown", "html")}
    assert "<script>alert" not in told["html"] and "&lt;script&gt;alert(1)" in told["html"]
    assert r"\toprule" in told["latex"] and told["markdown"].count("| alpha |") >= 1 and told["csv"].startswith("name,kind")


def test_who_is_measured_still_is_told_and_the_rest_is_there(fake: Any, page: Any) -> None:
    fake.scores().late = ("beta",)
    at = page(VIEW)
    shown = table(at).set_index("name")
    assert shown.loc["beta", "H@10"] == "0.5000 (0.400 to 0.600)"  # out of its own report
    assert shown.loc["beta", "H@10 less alpha"] == ""
    assert "1 of 4 are not measured user by user yet" in texts(at)


def test_what_could_not_be_measured_is_told_and_tried_again(fake: Any, page: Any) -> None:
    fake.scores().trouble = "beta could not be measured: its <b>model</b> is gone"
    at = page(VIEW)
    assert any("could not be measured" in w.value and "<b>" not in w.value for w in at.warning)
    at.button(key="measure_again").click().run()
    assert fake.scores().again == 1


def test_a_trained_baseline_says_what_it_takes_and_comes_when_asked(fake: Any, page: Any) -> None:
    at = page(VIEW)
    button = at.button(key="train_sasrec")
    assert "56 s" in button.label
    button.click().run()
    assert fake.scores().asked[-1].baselines == ("popularity", "ease", "sasrec")
    assert any("SASRec cannot be fitted" in w.value for w in at.warning)  # the fake's refusal is a sentence


def test_no_run_says_the_next_step(fakes: Any, page: Any) -> None:
    from app import shared

    shared.use(fakes.FakeBackend(names=()))
    try:
        at = page(VIEW)
        assert "Train one" in at.info[0].value and not at.dataframe
    finally:
        shared.use(None)


def test_one_run_alone_is_told_what_would_help(fake: Any, page: Any) -> None:
    at = page(VIEW, runs="alpha", baselines="")
    assert "One run alone" in texts(at) and table(at)["name"].tolist() == ["alpha"]


def test_a_strange_address_is_answered_with_a_sentence(fake: Any, page: Any) -> None:
    at = page(VIEW, runs="alpha,<img src=x>", show="nowhere", seen="sometimes", metric="luck@3", columns="gold")
    assert any("called" in w.value and "<img" not in w.value for w in at.warning)
    assert table(at)["name"].tolist()[0] == "alpha"


def test_data_that_differs_gets_its_own_table(fake: Any, page: Any) -> None:
    fake.scores().second = True
    at = page(VIEW, on="ba9876543210")
    assert at.selectbox(key="compare_on").value == "ba9876543210"
    assert "never put in one table" in texts(at)
    assert fake.scores().asked[-1].ground == "ba9876543210" and fake.scores().asked[-1].runs == ("alpha",)


def test_what_stands_twice_in_the_address_is_taken_once(fake: Any, page: Any) -> None:
    at = page(VIEW, runs="beta,beta", baselines="ease,ease")
    assert fake.scores().asked[-1].runs == ("beta",) and fake.scores().asked[-1].baselines == ("ease",)
    assert at.multiselect(key="compare_runs").value == ["beta"] and at.multiselect(key="compare_baselines").value == ["ease"]


def test_without_runs_the_way_to_train_is_explained(fake: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake.scores(), "grounds", lambda: ())
    (link,) = [one for one in page(VIEW).get("page_link") if one.proto.label == "Train a run"]
    assert link.proto.help
