"""What every test may use: MovieLens-100K from the cache, the evaluation data where it is, and a world without a hub."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llmrec.contracts import Dataset

os.environ["HF_HUB_OFFLINE"] = "1"  # before any test imports the hub's client, which reads it once


@pytest.fixture(autouse=True)
def hermetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub, runs in a folder of the test's own, and none that ship."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("LLMREC_PRECISION", "fp32")  # comparable to the last digit, and quicker for tiny models
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("LLMREC_BUNDLES", str(tmp_path / "no-bundles"))


@pytest.fixture(scope="session")
def ml100k() -> Dataset:
    """MovieLens-100K out of the cache, which `make test` fills."""
    from llmrec.data.movielens import MovieLens100K

    return MovieLens100K().load()


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """`shared_data("amazon-beauty")` is that folder of the evaluation data; the test is skipped where it is absent."""
    roots = [os.environ.get("LLMREC_SHARED_DATA"), Path(__file__).resolve().parents[2] / "shared" / "data"]

    def find(name: str) -> Path:
        for root in roots:
            if root and (Path(root) / name).exists():
                return Path(root) / name
        pytest.skip(f"the evaluation data {name!r} is not on this machine (LLMREC_SHARED_DATA names its folder)")

    return find
