"""What the tests of bundles share: one home for what is cached, a quick layout in the place of UMAP, which takes seconds to import."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.runs.bundles.made import finished


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def own_home(request: pytest.FixtureRequest, shared_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.view import project

    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setenv("LLMREC_HOME", str(shared_home))
        monkeypatch.setattr(project, "umap", lambda vectors, *_: project.pca(vectors))
    monkeypatch.setenv("LLMREC_BUNDLES", str(tmp_path / "shipped"))


@pytest.fixture(scope="session")
def packed(shared_home: Path) -> Any:
    """A run of the smallest kind, and its file."""
    from llmrec.runs.bundles import packing
    from llmrec.view import project

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_HOME", str(shared_home))
        patch.setenv("LLMREC_RUNS", str(shared_home / "first"))
        patch.setattr(project, "umap", lambda vectors, *_: project.pca(vectors))
        run = finished("rid")
        return run, packing.pack(run, shared_home / "out")


@pytest.fixture
def one(packed: Any, tmp_path: Path) -> Any:
    """The same, with a copy of the file that a test may spoil."""
    (tmp_path / "out").mkdir()
    return packed[0], Path(shutil.copy(packed[1], tmp_path / "out"))
