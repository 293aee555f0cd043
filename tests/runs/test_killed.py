"""kill -9 in the middle of a real training: the run resumes from its checkpoint and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmrec.lm.model import LanguageModel
from llmrec.runs.store import open_run

RECIPE = """
seed = 0
[data]
name = "checkerboard"
[embed]
walks_per_node = 2
epochs = 1
[scheme]
name = "metaid"
[lm]
name = "tiny"
[train]
epochs = 40
validations = 3
"""
# checkpoints often enough that most kills fall between two of them
WORKER = "import sys, llmrec.lm.finetune as f; f.CHECKPOINT_SECONDS = 0.3; from llmrec.__main__ import main; sys.exit(main(sys.argv[1:]))"


def _start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, *words], stdout=subprocess.DEVNULL, stderr=sys.stderr)


@pytest.mark.slow
def test_killed_at_random_moments_the_run_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE)
    whole, hurt = tmp_path / "whole", tmp_path / "hurt"
    began = time.monotonic()
    assert _start("train", str(tmp_path / "r.toml"), "--out", str(whole)).wait() == 0
    undisturbed = time.monotonic() - began
    chance = random.Random(7)
    words = ["train", str(tmp_path / "r.toml"), "--out", str(hurt)]
    kills = 0
    for _ in range(40):
        worker = _start(*words)
        try:
            code = worker.wait(timeout=chance.uniform(0.2, 0.6) * undisturbed if kills < 8 else None)
        except subprocess.TimeoutExpired:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            kills += 1
            words = ["train", str(tmp_path / "r.toml"), "--out", str(hurt), *(["--resume"] if (hurt / "recipe.toml").exists() else [])]
            continue
        assert code == 0
        break
    assert kills >= 3 and open_run(str(hurt)).status.state == "done"
    one, two = (open_run(str(p)) for p in (whole, hurt))
    assert one.metrics is not None and two.metrics is not None
    assert one.metrics["test"]["masked"]["metrics"] == two.metrics["test"]["masked"]["metrics"]
    weights = [LanguageModel.load(p / "model").trained() for p in (whole, hurt)]
    assert all((weights[0][n] == weights[1][n]).all() for n in weights[0])
