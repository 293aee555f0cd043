"""A Ray cluster: the run is trained on whichever node has room, over a folder of runs that all machines share.

Where it stands: inside a worker of the queue, which holds the run's lock and is the agent: it sends the run, watches, and sends it again
where a node dies. What it does not know: how a run is trained; what happens there reaches everybody through the run's folder.

When the agent dies, Ray ends what it sent. Ray itself never tries again, so that a death is told before the run goes on.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import socket
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec.runs.executors import node

if TYPE_CHECKING:
    from llmrec.runs.signals import Stop
    from llmrec.runs.status import State, Status
    from llmrec.runs.store import Run

LOOK = 0.3  # seconds between two looks at the cluster
ANSWER = 10.0  # seconds for a cluster to answer
LEAVE = 60.0  # seconds for an earlier attempt to leave
WAITS = "waits for a place in the cluster"
START = "start one with `ray start --head`, or name one with RAY_ADDRESS=HOST:6379"
OF_THIS_MACHINE = ("LLMREC_SLOTS", "LLMREC_CLUSTER_SLOTS")
GIVEN = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "OMP_WAIT_POLICY", "PYTHONHASHSEED")


class Ray:
    """Sends the run to the cluster of RAY_ADDRESS, or to the one that runs on this machine, and waits for it."""

    def work(self, run: Run) -> Status:
        """From wherever the run stands to its end. ValueError, with what to do, where there is no Ray or no cluster."""
        from llmrec.runs.signals import Stop

        try:
            ray: Any = importlib.import_module("ray")
        except ModuleNotFoundError:
            raise ValueError('the executor "ray" needs the package ray, which is not installed: pip install "llmrec[ray]"') from None
        needs = _cpus()
        with Stop(lambda: False, run.path) as stop, stop.gently():
            _call_back(run)
            _connect(ray, _address())
            try:
                return _Agent(ray, run, stop, needs).work()
            finally:
                ray.shutdown()


class _Agent:
    """One run in the cluster, from the first attempt to the last."""

    def __init__(self, ray: Any, run: Run, stop: Stop, cpus: int) -> None:
        self._ray, self._run, self._stop, self._cpus = ray, run, stop, cpus
        self._nodes = [n["Resources"] for n in ray.nodes() if n["Alive"]]
        self._gpus = 1 if any(n.get("GPU", 0) >= 1 for n in self._nodes) else 0

    def work(self) -> Status:
        from llmrec.runs.queue import deaths

        count, reached = 0, ""
        self._warn_where_nothing_fits()
        while True:
            ended, for_memory = self._attempt()
            if not isinstance(ended, str):
                return ended
            if self._stop():
                return self._end("stopped", f"was asked to stop, and {ended} before it could say so; resume to go on")
            now = deaths.reached(self._run.path)
            count, reached = (count + 1 if now == reached else 1), now
            if for_memory:
                return self._end("failed", ended)
            if count >= deaths.TRIES:
                return self._end("failed", f"{ended}, {count} times without getting further; resume to try again")
            self._tell({"event": "warning", "text": f"{ended}; it goes on from where it was, wherever the cluster has room"})

    def _attempt(self) -> tuple[Status | str, bool]:
        """How the run ended, or a sentence of what it died of and whether that was for want of memory."""
        import llmrec

        token = _order(self._run)
        needs = {"num_cpus": self._cpus, "num_gpus": self._gpus, "max_retries": 0, "name": f"llmrec {self._run.name}"}
        task = self._ray.remote(**needs)(node.here)
        sent = task.remote(str(self._run.path), token, llmrec.__version__, _given(self._cpus))
        if not self._begun(sent, token):
            _order(self._run)  # it must not begin any more
            self._ray.cancel(sent, force=True)
            return self._end("stopped", f"{self._stop.reason} while it waited for a place in the cluster; resume to go on"), False
        told = False
        while not self._is_over(sent):
            if self._stop() and not told:
                self._pass_on_stop()
                told = True
        return self._outcome(sent, token)

    def _begun(self, sent: Any, token: str) -> bool:
        """Wait for a place. False where somebody asks to stop before there is one."""
        self._tell({"event": "stage", "stage": WAITS, "state": "begin"})
        begin = time.perf_counter()
        while not (self._is_over(sent) or node.place(self._run.path, token)):
            if self._stop():
                return False
        self._tell({"event": "stage", "stage": WAITS, "state": "end", "seconds": round(time.perf_counter() - begin, 3), "cached": False})
        return True

    def _is_over(self, sent: Any) -> bool:
        return bool(self._ray.wait([sent], timeout=LOOK)[0])

    def _outcome(self, sent: Any, token: str) -> tuple[Status | str, bool]:
        from llmrec.runs import status

        errors = self._ray.exceptions
        worked = node.place(self._run.path, token)
        where = f"node {worked['host']}" if worked else "a node"
        try:
            told = self._ray.get(sent)
        except errors.RayTaskError as error:  # not the training's own, which its status tells
            text = " ".join(str(error).split())
            return self._end("failed", f"{where} could not begin the run: {text[-400:]}"), False
        except errors.OutOfMemoryError:
            return f"{where} ran out of memory and Ray ended the run's process there", False
        except errors.TaskCancelledError:
            return f"somebody cancelled the run's task on {where} of the cluster", False
        except errors.RayError:
            return f"{where} died, or Ray's process there", False
        if "unfit" in told:
            return self._end("failed", f"a node of the cluster {told['unfit']}; then resume"), False
        if "died" in told:
            return f"{where}: {told['died']}", bool(told["for_memory"])
        if "left" in told:
            return f"{where} left the run", False
        _demand_folder(self._run)
        return status.read_file(self._run.path), False

    def _end(self, state: State, reason: str) -> Status:
        """Say how it ended where no attempt can, once none writes any more."""
        from llmrec.runs import status

        with node.alone(self._run.path, _order(self._run), patience=LEAVE) as alone:
            if not alone:
                reason = f"{reason}; {_stays(self._run)}"
            status.write(self._run.path, state, reason)
            status.forget_stop(self._run.path)
            self._tell({"event": "end", "state": state, "reason": reason})
        return status.read_file(self._run.path)

    def _pass_on_stop(self) -> None:
        """A signal reaches this process alone; the file reaches whoever works."""
        from llmrec.runs import status

        if (self._run.path / "run.json").exists():
            with contextlib.suppress(FileNotFoundError):
                status.ask_to_stop(self._run.path)

    def _warn_where_nothing_fits(self) -> None:
        if not any(n.get("CPU", 0) >= self._cpus and n.get("GPU", 0) >= self._gpus for n in self._nodes):
            most = max((int(n.get("CPU", 0)) for n in self._nodes), default=0)
            text = f"no node of the cluster has {self._cpus} CPU cores, the largest has {most}: the run waits for one that has"
            self._tell({"event": "warning", "text": f"{text}; LLMREC_RAY_CPUS asks for fewer"})

    def _tell(self, event: dict[str, Any]) -> None:
        from llmrec.runs import events

        with contextlib.suppress(OSError):  # a full disk ends nothing
            events.append(self._run.path / "events.jsonl", event)


def _order(run: Run) -> str:
    """Make a new attempt the one that may work; every other leaves. Returns its token."""
    from llmrec import artifacts

    _demand_folder(run)
    token = uuid.uuid4().hex
    artifacts.write_json({"attempt": token, "host": socket.gethostname(), "pid": os.getpid()}, run.path / node.ORDER)
    return token


def _call_back(run: Run) -> None:
    """See to it that nothing which an earlier agent sent still writes, also where the cluster has gone. ValueError where it does."""
    if (run.path / node.ORDER).exists():
        with node.alone(run.path, _order(run), patience=LEAVE) as alone:
            if not alone:
                raise ValueError(f"{_stays(run)}, then resume")


def _stays(run: Run) -> str:
    return f"an earlier attempt {node.writer(run.path)} has not left within {LEAVE:.0f} s and may still write: end it there"


def _demand_folder(run: Run) -> None:
    from llmrec.runs import status

    if not (run.path / "run.json").exists():
        raise status.RunGone.of(run.path)


def _address() -> str:
    """HOST:PORT of a cluster that answers; ValueError says how to get one."""
    named = os.environ.get("RAY_ADDRESS", "")
    if named.startswith("ray://"):
        remedy = "make it a node with `ray start --address=HOST:6379 --num-cpus=0` and set RAY_ADDRESS=HOST:6379"
        raise ValueError(f"RAY_ADDRESS={named} is for clients from outside, and this machine must belong to the cluster: {remedy}")
    if named in ("", "auto"):
        noted = (
            Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or os.path.join(os.sep, "tmp")) / "ray" / "ray_current_cluster"
        )
        named = noted.read_text(encoding="utf-8").strip() if noted.is_file() else ""
        if not named:
            raise ValueError(f"no Ray cluster runs on this machine: {START}")
    host, _, port = named.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{named!r} is not the address of a Ray cluster: RAY_ADDRESS wants HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()  # Ray itself would wait for minutes
    except OSError as error:
        raise ValueError(f"no Ray cluster answers at {named} ({error}): {START}") from None
    return named


def _connect(ray: Any, address: str) -> None:
    """Join the cluster, which must leave our signals alone. What a node says goes straight into the run's log."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, namespace="llmrec", log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, RuntimeError) as error:
        said = " ".join(str(error).split())[:300]
        remedy = f"this machine must be a node of it (`ray start --address={address} --num-cpus=0`), with the same Python and Ray"
        raise ValueError(f"the Ray cluster at {address} cannot be joined ({said}): {remedy}") from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _cpus() -> int:
    named = os.environ.get("LLMREC_RAY_CPUS", "2")
    if not named.isdigit() or int(named) < 1:
        raise ValueError(f"LLMREC_RAY_CPUS={named!r} is no number of CPU cores: give a whole number from 1")
    return int(named)


def _given(cpus: int) -> dict[str, str]:
    """What a node's process must know of this one's environment: where things lie, how exactly to compute."""
    from llmrec import home

    ours = {k: v for k, v in os.environ.items() if k in GIVEN or (k.startswith("LLMREC_") and k not in OF_THIS_MACHINE)}
    places = {"LLMREC_HOME": home.home(), "LLMREC_RUNS": home.runs(), "LLMREC_DATA": home.data()}
    return {**ours, **{k: str(v.absolute()) for k, v in places.items()}, "OMP_NUM_THREADS": str(cpus)}
