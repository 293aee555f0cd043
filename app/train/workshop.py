"""The Train page's side of the backend: the queue, each run in full, and the form's recipes, as plain values.

Where it stands: behind `seam.WorkshopLike`; `plans` is its other half. What it does not know: Streamlit. Everything is read from the
runs' folders. What is listed or drawn stays for a second, so that thirty pages which ask for it every second cost as much as one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pandas as pd

from app import exhibits
from app.seam import Act, Choice, Exhibit, Forecast, Job, Plan, Training, Trouble
from app.train import plans
from llmrec.registry import UnknownName

T = TypeVar("T")
FRESH = 1.0  # seconds for which something read is taken as it was
TURN = 1.0  # seconds between two turns of the queue
KEPT = 64
TAIL = 6000  # bytes of a log that are shown
log = logging.getLogger(__name__)


class Bounded(OrderedDict[Any, Any]):
    """The last so many values."""

    def put(self, key: Any, value: T) -> T:
        self[key] = value
        self.move_to_end(key)
        while len(self) > KEPT:
            self.popitem(last=False)
        return value


class Recent:
    """Values that stay for a second; who asks meanwhile for the same waits and gets the same."""

    def __init__(self, fresh: float = FRESH, size: int = KEPT) -> None:
        self._fresh, self._size, self._lock = fresh, size, threading.Lock()
        self._slots: OrderedDict[Any, list[Any]] = OrderedDict()

    def get(self, key: Any, make: Callable[[], T]) -> T:
        with self._lock:
            slot = self._slots.setdefault(key, [threading.Lock(), -self._fresh, None])
            self._slots.move_to_end(key)
            while len(self._slots) > self._size:
                self._slots.popitem(last=False)
        with slot[0]:
            if time.monotonic() - slot[1] >= self._fresh:
                slot[2] = make()
                slot[1] = time.monotonic()
            value: T = slot[2]
            return value

    def forget(self) -> None:
        """Something was changed by whoever asks next."""
        with self._lock:
            self._slots.clear()


class Workshop:
    """See `seam.WorkshopLike`."""

    def __init__(self) -> None:
        self._recent, self._forecasts = Recent(), plans.Forecasts()
        self._watches: OrderedDict[str, tuple[threading.Lock, Any]] = OrderedDict()
        self._drawn = Bounded()
        self._lock, self._over = threading.Lock(), threading.Event()

    def choices(self) -> tuple[Choice, ...]:
        """What stands at the top of the form."""
        with told():
            return plans.choices()

    def plan(self, text: str | None = None) -> Plan:
        """A recipe's text as a plan."""
        return plans.read(text)

    def changed(self, plan: Plan, changes: dict[str, Any]) -> Plan:
        """The plan with settings changed."""
        return plans.changed(plan, changes)

    def again(self, run: str) -> Plan:
        """A run's recipe as a plan. It is a run of this machine, so its files and models may be of any kind; starting it checks them."""
        with told():
            return plans.of(_found(run).recipe)

    def forecast(self, plan: Plan, begin: bool = False) -> Forecast | None:
        """What the plan would cost, as far as somebody asked."""
        return self._forecasts.get(plan, begin)

    def start(self, plan: Plan) -> str:
        """Put a plan into the queue; its run's name."""
        from llmrec.runs import queue

        with self._changing():
            return queue.submit(plans.recipe(plan)).name

    def jobs(self) -> tuple[Job, ...]:
        """Every run: those at work, those waiting in their order, the others newest first."""
        with told():
            return self._recent.get("jobs", self._jobs)

    def training(self, run: str, dark: bool = False) -> Training:
        """One run in full."""
        with told():
            return self._recent.get((run, dark), lambda: self._training(run, dark))

    def stop(self, run: str) -> str:
        """Ask a run to stop; how it stands then, in a sentence."""
        from llmrec.runs import queue

        with self._changing():
            return f"{run}: {queue.stop(_found(run)).reason}"

    def resume(self, run: str) -> str:
        """Let a run go on."""
        from llmrec.runs import queue

        with self._changing():
            found = _found(run)
            queue.resume(found)
            return f"{run} goes on from where it was: {found.status.reason}"

    def freed(self, run: str) -> str:
        """What deleting it frees, in a sentence."""
        from llmrec.runs import accounts, store
        from llmrec.runs.estimate.values import size

        with told():
            found = store.find(run) if _listed(run) else _found(run)
            taken = accounts.account(found, store.list_runs())
            also = f", and {size(taken.releasable)} of kept results that no other run of this folder reads" if taken.releasable else ""
            stays = f" {size(taken.shared)} that other runs read too, or may read, stay." if taken.shared else ""
            doubt = f" Who reads what cannot be told in full: {'; '.join(taken.unread)}." if taken.unread else ""
            return f"It frees {size(taken.folder)}{also}.{stays}{doubt}"

    def delete(self, run: str) -> str:
        """Throw a run away, with the kept results that it alone reads."""
        from llmrec.runs import accounts, queue, store
        from llmrec.runs.estimate.values import size

        with self._changing():
            found = store.find(run) if _listed(run) else _found(run)
            taken = accounts.account(found, store.list_runs())
            queue.delete(found)
            freed = taken.folder + accounts.drop(taken)
            with self._lock:
                self._watches.pop(run, None)
            return f"{run} is deleted, {size(freed)} are free again."

    def differences(self, run: str, other: str) -> pd.DataFrame:
        """Where two runs' recipes differ."""
        from llmrec import recipe

        with told():
            rows = recipe.differences(_found(run).recipe, _found(other).recipe)
            return pd.DataFrame([(key, _said(a), _said(b)) for key, a, b in rows], columns=["setting", run, other])

    def attend(self) -> None:
        """Turn the queue, now and every second, from a thread of its own, until `close`."""
        threading.Thread(target=self._turning, name="queue", daemon=True).start()

    def close(self) -> None:
        """Stop turning the queue; what is being trained goes on."""
        self._over.set()

    def _turning(self) -> None:
        from llmrec.runs import queue

        said = ""
        while not self._over.is_set():
            try:
                queue.tick()
            except Exception as error:  # the next turn may go well, and nobody else here turns the queue
                if str(error) != said:
                    said = str(error)
                    log.warning("the queue could not be turned: %s", error)
            self._over.wait(TURN)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with told():
                yield
        finally:
            self._recent.forget()

    def _jobs(self) -> tuple[Job, ...]:
        from llmrec.runs import queue, store

        line = {place.run_name: (n, place.ahead) for n, place in enumerate(queue.listing())}
        out = (len(line), None)
        found = [self._job(run, line.get(run.name, out)[1]) for run in store.list_runs()]
        found.sort(key=lambda job: (job.state not in ("running", "stopping"), line.get(job.name, out)[0]))  # the rest stays newest first
        return tuple(found)

    def _job(self, run: Any, ahead: int | None) -> Job:
        status = run.status
        if run.broken:
            return Job(run.name, "broken", status.reason, "")
        share, now = None, ""
        if status.state in ("running", "stopping"):
            live = self._look(run)
            share, now = live.fraction, _now(live)
        info = run.info
        what = " · ".join(str(info[name]) for name in ("scheme", "head", "lm", "data") if info.get(name))
        return Job(run.name, status.state, status.reason, what, ahead, share, now, _measured(run))

    def _training(self, name: str, dark: bool) -> Training:
        run = _found(name)
        job = next((j for j in self.jobs() if j.name == name), None) or self._job(run, None)
        if run.broken:
            return Training(job, (), (), "", (), frozenset[Act]({"delete"}))
        live = self._look(run)
        drawn = self._drawn.get((name, dark))
        if drawn is None or drawn[0] != (live.curves, live.pace.steps):  # drawing costs more than all the rest
            drawn = self._drawn.put((name, dark), ((live.curves, live.pace.steps), _curves(live, dark)))
        return Training(job, _numbers(live, job), drawn[1], _tail(run.path / "worker.log"), live.log.warnings, _acts(run, job.state))

    def _look(self, run: Any) -> Any:
        """A run's events in one picture; a look costs what came since the last."""
        from llmrec.runs.live import Watch

        with self._lock:
            lock, watch = self._watches.setdefault(run.name, (threading.Lock(), Watch(run)))
            self._watches.move_to_end(run.name)
            while len(self._watches) > KEPT:
                self._watches.popitem(last=False)
        with lock:
            return watch.look()


@contextmanager
def told() -> Iterator[None]:
    """What the library refuses with a sentence becomes `Trouble`."""
    try:
        yield
    except Trouble:
        raise
    except (ValueError, FileNotFoundError, UnknownName) as error:
        raise Trouble(str(error)) from error


def _found(run: str) -> Any:
    """A run by a name that comes from a page; a broken one is found too."""
    from llmrec.artifacts import BadArtifact
    from llmrec.runs import store

    try:
        return store.by_name(run)
    except BadArtifact:
        return store.find(run) if _listed(run) else store.by_name(run)


def _listed(run: str) -> bool:
    from llmrec.runs import store

    return any(found.name == run for found in store.list_runs())


def _now(live: Any) -> str:
    left = "" if live.seconds_left is None else f"{plans.clock(live.seconds_left)} left"
    return " · ".join(x for x in (live.stage, left) if x)


def _numbers(live: Any, job: Job) -> tuple[tuple[str, str, str], ...]:
    """What is worth a large figure."""
    from llmrec.runs.estimate.values import size

    pace = live.pace
    shown = [(name, f"{value:.4f}", "On test, seen items masked.") for name, value in job.measured.items()]
    if pace.step is not None:
        of = f" of {pace.steps:,}" if pace.steps else ""
        shown.append(("Step", f"{pace.step:,}{of}", "Steps of training; it may stop early where validation brings nothing better."))
    if pace.loss is not None:
        shown.append(("Loss", f"{pace.loss:.3f}", "Of the last steps, on train."))
    if pace.tokens_per_s and job.state in ("running", "stopping"):
        shown.append(("Tokens/s", f"{pace.tokens_per_s:,.0f}", "What the language model reads in a second of training."))
    if pace.memory_bytes:
        shown.append(("Memory", size(int(pace.memory_bytes)), "Of the training process."))
    if live.seconds:
        shown.append(("Worked", plans.clock(live.seconds), "Seconds of work so far, waiting left out."))
    return tuple(shown)


def _curves(live: Any, dark: bool) -> tuple[Exhibit, ...]:
    from llmrec.view import curves

    steps = live.pace.steps
    losses = curves.loss_table([curves.Loss(*point) for point in live.curves.losses])
    read = curves.validation_table([curves.Measured(*point) for point in live.curves.validations])
    drawings = (("loss", "Loss", losses, curves.loss), ("validation", "Validation", read, curves.validation))
    return tuple(
        Exhibit(name, title, curves.said(table), table, exhibits.dressed(draw(table, steps, dark)), curves.moving(table, steps, dark))
        for name, title, table, draw in drawings
        if len(table)
    )


def _acts(run: Any, state: str) -> frozenset[Act]:
    acts: set[Act] = {"delete", "again"}
    if state in ("queued", "running"):
        acts.add("stop")
    if run.status.resumable:
        acts.add("resume")
    if (run.path / "model").exists() and state not in ("running", "stopping"):
        acts.add("open")
    return frozenset(acts)


def _measured(run: Any) -> dict[str, float]:
    from llmrec.artifacts import BadArtifact
    from llmrec.report.protocols import headline

    try:
        report = (run.metrics or {}).get("test", {}).get("masked", {})
        numbers = report.get("metrics", {})
        return {name: float(numbers[name]) for name in headline(report, numbers)}
    except (BadArtifact, AttributeError, KeyError, TypeError, ValueError):
        return {}


def _tail(path: Any) -> str:
    """The last lines of a log, as text that can be shown."""
    try:
        if path.is_symlink() or not path.is_file():
            return ""
        with open(path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join("".join(c for c in line if c.isprintable()) for line in lines[-60:])


def _said(value: Any) -> str:
    return value if isinstance(value, str) else repr(value) if value is None else str(value)
