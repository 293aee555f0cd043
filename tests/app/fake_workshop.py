"""A workshop without processes: five runs in five states that change when they are told to. Recipes are read by the real thing."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from app.exhibits import dressed
from app.seam import Choice, Exhibit, Forecast, Job, Plan, Training, Trouble
from app.train import plans
from llmrec.view import curves

WHAT = "metaid · trie · nano · films"
ACTS: dict[str, set[str]] = {
    "queued": {"stop", "delete", "again"},
    "running": {"stop", "delete", "again"},
    "stopping": {"delete", "again"},
    "stopped": {"resume", "delete", "again", "open"},
    "done": {"delete", "again", "open"},
    "failed": {"resume", "delete", "again"},
    "broken": {"delete"},
}


def first() -> dict[str, Job]:
    return {
        j.name: j
        for j in (
            Job("busy-1", "running", "is being worked on", WHAT, 0, 0.4, "fine-tuning · 31 s left"),
            Job("next-1", "queued", "waits for a free place", WHAT, 1),
            Job("good-1", "done", "", WHAT, measured={"hit@10": 0.21, "ndcg@10": 0.11}),
            Job("bad-1", "failed", "the disk is full: free 200 MB, then resume", WHAT),
            Job("torn-1", "broken", "run.json is <b>missing</b>", ""),
        )
    }


class FakeWorkshop:
    """`known`: the runs by name; `done`: what was asked of them; `known_forecast`: what estimates say."""

    def __init__(self) -> None:
        self.known = first()
        self.done: list[tuple[str, str]] = []
        self.started: list[Plan] = []
        self.known_forecast: Forecast | None = None
        self.refuses = ""

    def choices(self) -> tuple[Choice, ...]:
        return plans.choices()

    def plan(self, text: str | None = None) -> Plan:
        return plans.read(text)

    def changed(self, plan: Plan, changes: dict[str, Any]) -> Plan:
        return plans.changed(plan, changes)

    def again(self, run: str) -> Plan:
        return plans.read('seed = 7\n[scheme]\nname = "title"\n')

    def forecast(self, plan: Plan, begin: bool = False) -> Forecast | None:
        if begin:
            table = pd.DataFrame({"stage": ["names", "training"], "seconds": [2.0, 60.0]})
            self.known_forecast = Forecast("done", (("Time", "62 s", "All of it."),), table, ("set train.batch = 16 (now 32).",))
        return self.known_forecast

    def start(self, plan: Plan) -> str:
        if self.refuses:
            raise Trouble(self.refuses)
        self.started.append(plan)
        self.known["fresh-1"] = Job("fresh-1", "queued", "waits for a free place", WHAT, 2)
        return "fresh-1"

    def jobs(self) -> tuple[Job, ...]:
        return tuple(self.known.values())

    def training(self, run: str, dark: bool = False) -> Training:
        job = self._job(run)
        losses = curves.loss_table([curves.Loss(step, 5.0 / step) for step in range(1, 9)])
        read = curves.validation_table([curves.Measured(4, {"ndcg@10": 0.1}, True), curves.Measured(8, {"ndcg@10": 0.05})])
        exhibits = (
            Exhibit("loss", "Loss", curves.said(losses), losses, dressed(curves.loss(losses, 20, dark)), curves.moving(losses, 20, dark)),
            Exhibit(
                "validation",
                "Validation",
                curves.said(read),
                read,
                dressed(curves.validation(read, 20, dark)),
                curves.moving(read, 20, dark),
            ),
        )
        numbers = (("Tokens/s", "5,200", "Items' Tokens read in a second."),)
        shown = exhibits if job.state in ("running", "done") else ()
        log = "Traceback\nOSError: [Errno 28] No space left on device" if job.state == "failed" else ""
        return Training(job, numbers, shown, log, ("the event file had a torn line",), frozenset(ACTS[job.state]))  # type: ignore[arg-type]

    def stop(self, run: str) -> str:
        return self._to("stop", run, "stopped", "stopped by request; resume to go on")

    def resume(self, run: str) -> str:
        return self._to("resume", run, "queued", "waits for a free place")

    def freed(self, run: str) -> str:
        return "It frees 12 MB."

    def delete(self, run: str) -> str:
        self._job(run)
        self.done.append(("delete", run))
        del self.known[run]
        return f"{run} is deleted."

    def attend(self) -> None: ...

    def differences(self, run: str, other: str) -> pd.DataFrame:
        return pd.DataFrame({"setting": ["train.epochs"], run: [4], other: [20]})

    def _job(self, run: str) -> Job:
        if run not in self.known:
            raise Trouble(f"no run is called {run!r}")
        return self.known[run]

    def _to(self, act: str, run: str, state: str, reason: str) -> str:
        job = self._job(run)
        if act not in ACTS[job.state]:
            raise Trouble(f"run {run} is {job.state}: there is nothing to {act}")
        self.done.append((act, run))
        self.known[run] = dataclasses.replace(job, state=state, reason=reason, share=None, now="", ahead=None)
        return reason
