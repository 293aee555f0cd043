"""A run from its recipe to its numbers: prepare, train, evaluate, each stage announced as an event.

Where it stands: the top of the flow; the command line and the studio's worker call it. What it does not know: what the stages do.

Killed at any moment, a run resumes by calling `train` on it again: finished stages come from the cache, training from its checkpoint.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llmrec import artifacts, home, progress
from llmrec.contracts import Part, Recommender, Split
from llmrec.lm import trouble
from llmrec.recipe import Recipe
from llmrec.runs import events, newcomers, speech, stages, status
from llmrec.runs.signals import Halt, Stop
from llmrec.runs.stages import Prepared
from llmrec.runs.status import State, Status
from llmrec.runs.store import Run

Emit = Callable[[events.Event], None]
Parts = Sequence[tuple[Part, bool]]  # what is measured, and whether seen items are masked
PARTS: Parts = (("valid", True), ("test", True), ("test", False), ("valid", False))
TEST: Parts = (("test", True), ("test", False))
BEAT = 5.0  # seconds between two signs of life in status.json
DAMAGED = ("model-damaged", "content-damaged", "checkpoint-damaged")  # what could not be read and was made again
CLUSTER = ("cluster.json", "cluster-place.json", "cluster.lock")  # of a run that a cluster works on
# what a run writes beside status and lock
PARTS_ON_DISK = (
    *(
        "events.jsonl",
        "ids",
        "vectors",
        "model",
        "content",
        "speech",
        "checkpoint",
        "training.json",
        "metrics.json",
        "places",
        "worker.log",
    ),
    *CLUSTER,
)


def prepare(recipe: Recipe, emit: Emit) -> Prepared:
    """Data, split, vectors and names, from the cache where they are kept. Each stage emits its begin and its end with seconds."""
    kept = set(stages.cached(recipe))

    def around(section: str) -> Any:
        return _stage(emit, stages.label(recipe, section), cached=section in kept)

    return stages.prepare(recipe, around)


def train(
    run: Run, emit: Emit | None = None, should_stop: Callable[[], bool] = lambda: False, numbers: bool | Parts = True, held: bool = False
) -> Status:
    """Work a run off, from wherever it stands; returns how it ended.

    SIGTERM, Ctrl-C, a file `stop` in its folder or `should_stop` end it as "stopped": once training has begun a usable model is kept. An
    exception marks the run "failed" with its reason and is raised again. `RunBusy` when another process works on it, `RunGone` when its
    folder disappears. numbers: whether to evaluate in the end, or what alone; held: the caller holds the run's lock already.
    """
    if run.broken:
        raise artifacts.BadArtifact(run.broken)
    tell = Teller(run, emit)
    with contextlib.nullcontext() if held else status.held(run.path):
        if not held:
            status.forget_stop(run.path)  # a word to somebody who works no more
        before = status.read_file(run.path)
        if before.state == "done" and (run.metrics is not None or not numbers):
            return before
        with Stop(should_stop, run.path) as stop:
            try:
                return _worked(run, tell, stop, numbers)
            except BaseException:
                if not (run.path / "run.json").exists():
                    _sweep(run)
                    raise status.RunGone.of(run.path) from None
                raise
            finally:
                with contextlib.suppress(OSError):
                    status.forget_stop(run.path)


def report(
    run: Run, recommender: Recommender, data: str, split: Split, part: Part, masked: bool, baselines: Sequence[str] = (), keep: bool = False
) -> dict[str, Any]:
    """One evaluation of a run by its split's protocol, in the form of `evaluate --json`; where users are told apart, "groups" has them, and
    where some were held out of training, "newcomers" or "new_items" says what they were called.

    data: the data set's name; baselines: names of those beside it; keep: write where each held-out item stood into the run's folder.
    """
    from llmrec.report import protocols
    from llmrec.report.evaluate import evaluate, evaluate_baselines
    from llmrec.report.table import summary
    from llmrec.runs import measured as kept

    seed = run.recipe.seed
    measured = evaluate(recommender, split, part, masked)
    if keep:
        kept.keep(run, measured)
    others = evaluate_baselines(split, part, masked, baselines, seed=seed)
    told = summary(measured, run=run.name, data=data, split=protocols.of(split).name, seed=seed, baselines=others)
    return {**told, **newcomers.told(run, recommender, split, part)}


def _worked(run: Run, tell: Emit, stop: Stop, numbers: bool | Parts) -> Status:
    status.write(run.path, "running")
    tell({"event": "start", "resumed": any(e.get("event") == "start" for e in run.events())})
    try:
        with progress.listening(tell), stop.at_once():
            _work(run, tell, stop, numbers)
        state: State = "stopped" if stop() else "done"
        reason = f"{stop.reason}; resume to go on" if stop() else _outcome(run)
    except Halt:
        state, reason = "stopped", f"{stop.reason} before the model was trained; resume to go on"
        if (run.path / "model").exists():
            reason = f"{stop.reason}; the model is kept"
    except KeyboardInterrupt:
        status.write(run.path, "stopped", "interrupted twice; resume to go on from the last checkpoint")
        tell({"event": "end", "state": "stopped"})
        raise
    except BaseException as error:
        reason = " ".join(_said(run, error).split())[:500]
        status.write(run.path, "failed", reason)
        tell({"event": "end", "state": "failed", "reason": reason})
        raise
    status.write(run.path, state, reason)
    tell({"event": "end", "state": state, "reason": reason})
    return status.read_file(run.path)


def _outcome(run: Run) -> str:
    """What a finished run came to, in a sentence."""
    facts: dict[str, Any] = {}
    with contextlib.suppress(artifacts.BadArtifact):
        facts = artifacts.read_json(run.path / "training.json")
    trained = f"trained {facts['steps']} of {facts['steps_planned']} steps" if {"steps", "steps_planned"} <= set(facts) else "trained"
    early = f" ({facts['reason']})" if str(facts.get("reason", "finished")) != "finished" else ""
    return f"{trained}{early}, and measured" if (run.path / "metrics.json").exists() else f"{trained}{early}"


def _said(run: Run, error: BaseException) -> str:
    """Why a run failed, with the remedy where the machine was at fault."""
    if isinstance(error, (ValueError, trouble.Trouble)):
        return str(error)
    said = f"{type(error).__name__}: {error}"
    if trouble.no_memory(error):
        return f"there was not enough memory: {_smaller(run)}, then resume ({said})"
    if trouble.no_room(error):
        return f"there was no room on the disk: free some where {run.path} and {home.home()} are, then resume ({said})"
    return said


def _smaller(run: Run) -> str:
    """What to set so that memory suffices. Where there is none left, even to ask is too much."""
    with contextlib.suppress(Exception):
        from llmrec.runs import estimate

        return estimate.smaller(run.recipe)
    return "set a smaller train.batch"


def _sweep(run: Run) -> None:
    """What was written into the folder after it had been deleted, which is no run: only what a run writes is taken away."""
    for name in (*PARTS_ON_DISK, *DAMAGED, status.FILE, status.LOCK, status.STOP):
        path = run.path / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        run.path.rmdir()


def _work(run: Run, tell: Emit, stop: Stop, numbers: bool | Parts) -> None:
    recipe = run.recipe
    prepared = prepare(recipe, tell)
    _keep(run, prepared)
    if not is_trained(run):
        _forget_model(run, tell)
        _fit(run, recipe, prepared, tell, stop)
    if stop() or not numbers:
        return
    with _stage(tell, "loading the model"):  # what was kept, which is the best and not the last
        recommender = run.recommender()
    measured = _measured(run, tell)
    for part, masked in PARTS if numbers is True else numbers or ():
        seen = "masked" if masked else "unmasked"
        if stop():
            return
        if seen in measured.get(part, {}):
            continue
        with _stage(tell, f"evaluation on {part}, seen items {seen}"):
            measured.setdefault(part, {})[seen] = report(run, recommender, prepared.dataset.name, prepared.split, part, masked, keep=True)
        artifacts.write_json(measured, run.path / "metrics.json")
        tell({"event": "evaluation", "part": part, "seen": seen, "metrics": measured[part][seen]["metrics"]})


def is_trained(run: Run) -> bool:
    """Whether training is over and its model whole: then nothing is left but measuring."""
    if not (run.path / "training.json").exists():
        return False
    try:
        artifacts.check(run.path / "model")
    except artifacts.BadArtifact:
        return False
    return True


def _forget_model(run: Run, tell: Emit) -> None:
    """Where training is over and the model is damaged or gone, which measuring needs, it is made again."""
    if not (run.path / "training.json").exists():
        return
    if (run.path / "model").exists():
        trouble.set_aside(run.path / "model")
    (run.path / "training.json").unlink()
    tell({"event": "warning", "text": "the trained model is missing or damaged; it is made again, to the same end"})


def _measured(run: Run, tell: Emit) -> dict[str, Any]:
    """What is measured already; a damaged file is measured anew."""
    try:
        return run.metrics or {}
    except artifacts.BadArtifact as error:
        tell({"event": "warning", "text": f"{error}; it is measured anew"})
        return {}


def _keep(run: Run, prepared: Prepared) -> None:
    """Write names and vectors into the run, once. What is there already is the truth and must fit the data."""
    fingerprint = artifacts.fingerprint(prepared.dataset)
    made_on = run.info.get("data_fingerprint")
    if made_on is not None and made_on != fingerprint:
        raise ValueError(f"the data of run {run.name} changed since it was begun ({made_on}, now {fingerprint}): start a new run")
    if made_on is None:
        run.note(data_fingerprint=fingerprint)
    if prepared.vectors is not None and not (run.path / "vectors").exists():
        artifacts.save(prepared.vectors, run.path / "vectors")
    if not (run.path / "ids").exists():
        artifacts.save(prepared.table, run.path / "ids")


def _fit(run: Run, recipe: Recipe, prepared: Prepared, tell: Emit, stop: Stop) -> None:
    from llmrec.lm.model import LanguageModel

    table = run.table()
    with _stage(tell, "language model"):
        model = LanguageModel.create(recipe.lm, table, prepared.dataset.catalog, recipe.seed)
    if speech.share(recipe) and not (run.path / "checkpoint").exists():
        with _stage(tell, "speech", cached=speech.kept(recipe)), stop.gently():
            learned = speech.give(model, recipe, prepared, run.path, tell, stop)
        if learned is not None:
            tell({"event": "spoken", **learned})
        if stop():
            return
    with _stage(tell, "training"), stop.gently():
        facts = recipe.train.fit(
            model, table, prepared.split, run.path, tell, stop, recipe.seed, recipe.head, prepared.dataset.catalog, run.vectors()
        )
    tell({"event": "trained", **facts})
    if not facts.get("stopped"):
        artifacts.write_json(facts, run.path / "training.json")


@contextlib.contextmanager
def _stage(emit: Emit, name: str, cached: bool = False) -> Iterator[None]:
    emit({"event": "stage", "stage": name, "state": "begin"})
    begin = time.perf_counter()
    yield
    emit({"event": "stage", "stage": name, "state": "end", "seconds": round(time.perf_counter() - begin, 3), "cached": cached})


class Teller:
    """Events go to the run's file, to the caller, and now and then show in status.json that somebody is alive.

    A full disk stops no training: what could not be written down is lost, and counted once there is room again.
    """

    def __init__(self, run: Run, emit: Emit | None) -> None:
        self._run, self._emit = run, emit
        self._last, self._lost = time.monotonic(), 0

    def __call__(self, event: events.Event) -> None:
        told = event
        if not (self._run.path / "run.json").exists():
            raise status.RunGone.of(self._run.path)
        try:
            if self._lost:
                lost = f"the disk was full: {self._lost} events of this run could not be written down"
                events.append(self._run.path / "events.jsonl", {"event": "warning", "text": lost})
                self._lost = 0
            told = events.append(self._run.path / "events.jsonl", event)
            if time.monotonic() - self._last > BEAT and event.get("event") != "end":
                self._last = time.monotonic()
                status.write(self._run.path, "running")
        except OSError as error:
            if error.errno not in status.FULL:
                raise
            self._lost += 1
        if self._emit is not None:
            self._emit(told)
