"""How heavy some runs are once they are open over one base: `python -m benchmarks.chat.weighing RUN...` prints one line of JSON.

Where it stands: a process of its own, since memory that was used once is not given back. What it does not know: what is kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def weigh(runs: list[str]) -> dict[str, int]:
    """weights: bytes of all tensors, those that are shared once; resident: bytes of this process after each has answered."""
    from llmrec.lm.shared import size
    from llmrec.recommend.chat import opening
    from llmrec.recommend.language import LanguageRecommender
    from llmrec.runs import store

    opening.spare_threads()
    opened = opening.open_speakers(runs)
    for run, one in zip(runs, opened, strict=True):
        found = store.open_run(run)
        talk = opening.of_user(found, found.dataset().catalog.user_keys[0])
        list(one.speaker.reply(talk, "what should I watch next?", 5))
    models = [r.lm for one in opened if isinstance(r := getattr(one.speaker, "recommender", None), LanguageRecommender)]
    return {"weights": size(models), "resident": resident(), "runs": len(runs)}


def resident() -> int:
    """Bytes of this process in memory; 0 where the system does not tell."""
    told = Path("/proc/self/status")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


if __name__ == "__main__":
    print(json.dumps(weigh(sys.argv[1:])))
