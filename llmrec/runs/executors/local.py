"""This machine: the worker's own process trains.

Where it stands: under the queue's worker. What it does not know: the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmrec.runs.status import Status
    from llmrec.runs.store import Run


class Local:
    """Trains here."""

    def work(self, run: Run) -> Status:
        """From wherever the run stands to its end."""
        from llmrec.runs import pipeline

        return pipeline.train(run, held=True)
