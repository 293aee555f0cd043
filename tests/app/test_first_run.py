"""The first start of a fresh machine: shipped bundles are opened beside the pages, and only where none can be is a run trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.train import first_run
from llmrec.runs import store
from llmrec.runs.bundles import packing, shipped
from llmrec.view import project
from tests.runs.bundles.made import elsewhere, finished


@pytest.fixture
def ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One bundle that ships, on a fresh machine."""
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLMREC_BUNDLES", str(tmp_path / "shipped"))
    monkeypatch.setattr(project, "umap", lambda vectors, *_: project.pca(vectors))
    file = packing.pack(finished("metaid"), shipped.folder())
    elsewhere(monkeypatch, tmp_path / "other")
    return file


def done(first: first_run.FirstRun) -> Any:
    opening = first._opening
    assert opening is not None
    opening.thread.join(60)
    assert not opening.thread.is_alive()
    return first.progress()


def test_bundles_are_opened_in_the_background_and_their_maps_made(ships: Path) -> None:
    from app.seam.maps import Lay
    from app.tokens import projecting

    first = first_run.FirstRun("no-such-recipe")
    first.begin([])
    assert done(first) is None  # nothing was trained, and nothing failed
    run = store.list_runs()[0]
    vectors = run.vectors()
    assert vectors is not None and projecting.held(Lay(), projecting.fingerprint(vectors))
    again = first_run.FirstRun("no-such-recipe")
    again.begin(store.list_runs())
    assert again._opening is None and again.progress() is None


def test_how_far_it_is(ships: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    go = threading.Event()

    def slow(paths: list[Path]) -> Any:
        yield shipped.Step(paths[0], 0, 2)
        assert go.wait(60)

    monkeypatch.setattr(shipped, "open_all", slow)
    first = first_run.FirstRun("no-such-recipe")
    first.begin([])
    progress = first.progress()
    go.set()
    assert progress is not None and progress.state == "running" and progress.stage.startswith("opening the runs that ship")
    assert "no-such-recipe" in done(first).message


def test_where_none_can_be_opened_a_run_is_trained(ships: Path) -> None:
    ships.write_bytes(b"no zip")
    first = first_run.FirstRun("no-such-recipe")
    first.begin([])
    progress = done(first)
    assert progress.state == "failed" and "no-such-recipe" in progress.message and store.list_runs() == []


def test_deleted_runs_do_not_come_back(ships: Path) -> None:
    first = first_run.FirstRun("no-such-recipe")
    first.begin([])
    done(first)
    store.list_runs()[0].delete()
    again = first_run.FirstRun("no-such-recipe")
    again.begin([])
    assert again._opening is None and store.list_runs() == []
