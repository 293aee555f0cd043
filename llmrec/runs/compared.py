"""Runs and baselines as one comparison: what each is, what it cost, and where it put every held-out item.

Where it stands: over `measured`; `llmrec compare` and the Compare page call it. What it does not know: how a comparison is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llmrec import artifacts, registry
from llmrec.report.comparison import Comparison, Ground
from llmrec.report.standings import Standing
from llmrec.runs import accounts, machine, measured

if TYPE_CHECKING:
    from llmrec.contracts import Part, Split
    from llmrec.runs.store import Run

Tell = Callable[[str], None]
SAME = "only what was asked the same questions can stand in one table: choose runs of one data set and split"


def compare(
    runs: Sequence[Run],
    baselines: Sequence[str] = (),
    part: Part = "test",
    masked: bool = True,
    reference: str = "",
    measure: bool = True,
    tell: Tell = lambda name: None,
) -> Comparison:
    """These runs and baselines on their common ground, the best first. ValueError where they have none, or where no run is named.

    measure: whether to rank and time what is not kept, which takes seconds to minutes each; tell: hears whose turn it is.
    """
    if not runs:
        raise ValueError("name a run, so that baselines know which data and split to stand on: `llmrec runs` lists them")
    _names_once([run.name for run in runs], baselines)
    grounds = {run.name: measured.ground(run) for run in runs}
    first = grounds[runs[0].name]
    for name, other in grounds.items():
        if other.mark != first.mark:
            raise ValueError(f"{runs[0].name} is measured on {_said(first)}, {name} on {_said(other)}: {SAME}")
    found = []
    for run in runs:
        tell(run.name)
        found.append(of_run(run, part, masked, measure))
    for name in baselines:
        tell(name)
        found.append(of_baseline(runs[0], name, part, masked, measure))
    bands, groups = told_apart(runs[0].split())
    seen = "masked" if masked else "unmasked"
    return Comparison(first, part, seen, tuple(found), bands, groups, reference, machine.here()).ranked()


def of_run(run: Run, part: Part, masked: bool, measure: bool = True) -> Standing:
    """One run: its facts, what it cost, its places, and what its own report says."""
    info, seen = run.info, "masked" if masked else "unmasked"
    facts = {key: info.get(key) for key in ("scheme", "head", "seed", "created", "versions")}
    facts |= {"model": info.get("lm"), "recipe": (run.path / "recipe.toml").read_text(encoding="utf-8")}
    report = (run.metrics or {}).get(part, {}).get(seen, {})
    return Standing(run.name, "run", facts, costs(run, measure), measured.of_run(run, part, masked, measure), report)


def of_baseline(run: Run, name: str, part: Part, masked: bool, measure: bool = True) -> Standing:
    """One baseline on the ground of a run."""
    found = measured.costs_of_baseline(run, name, measure)
    took = {} if found is None else {"training": found.fit or 0.0, "latency": 1000 * found.latency}
    return Standing(name, "baseline", {"seed": measured.SEED}, took, measured.of_baseline(run, name, part, masked, measure))


def costs(run: Run, measure: bool = True) -> dict[str, float]:
    """What a run took and takes, as far as it is known."""
    found = measured.costs_of_run(run, measure)
    out: dict[str, float] = {}
    if found is not None:
        out = {"pieces": found.pieces or 0.0, "parameters": float(found.parameters or 0), "latency": 1000 * found.latency}
    out["new rows"] = float(sum(book.size for book in run.table().books))
    facts = _facts(run)
    if "steps" in facts:
        out["steps"] = float(facts["steps"])
    out["training"] = _spent(run, facts)
    out["size"] = sum(accounts.parts(run.path).values()) / 1e6
    return out


def told_apart(split: Split) -> tuple[dict[str, Any], dict[str, Any]]:
    """Items by popularity in train, the fifth that is taken most against the rest; and users, where the protocol tells some apart."""
    from llmrec.report import protocols
    from llmrec.report.segments import popularity_bands

    users = split.asked("test")
    groups = {name: users[mask] for name, mask in protocols.groups(split, users).items()}
    return popularity_bands(split.train), {name: np.asarray(some, dtype=np.int64) for name, some in groups.items()}


def newest(runs: Iterable[Run]) -> list[Run]:
    """The newest of each scheme, in the order given, which is newest first."""
    seen: set[str] = set()
    return [run for run in runs if (name := str(run.info.get("scheme"))) not in seen and not seen.add(name)]  # type: ignore[func-returns-value]


def _spent(run: Run, facts: dict[str, Any]) -> float:
    """Seconds of all stages to the trained model. The training itself says what it took in all; its stage ends once, however often it was
    killed before, and tells the last part alone."""
    ends = [e for e in run.events() if e.get("event") == "stage" and e.get("state") == "end"]
    stages = [e for e in ends if e["stage"] != "loading the model" and "evaluation on" not in e["stage"]]
    whole = facts.get("seconds")
    if whole is None:
        return sum(float(e["seconds"]) for e in stages)
    return float(whole) + sum(float(e["seconds"]) for e in stages if e["stage"] != "training")


def _names_once(runs: Sequence[str], baselines: Sequence[str]) -> None:
    """A table knows everybody by name: two of one name would get the numbers of one of them. ValueError."""
    for name in runs:
        if name in baselines or name in registry.names("baseline"):
            raise ValueError(f"a run is called {name} as a baseline is, and a table could not tell them apart: rename the run's folder")
        if runs.count(name) > 1:
            raise ValueError(f"two runs are called {name}, and a table could not tell them apart: rename the folder of one of them")
    twice = next((name for name in baselines if list(baselines).count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the baseline {twice} is named twice: name it once")


def _facts(run: Run) -> dict[str, Any]:
    try:
        return artifacts.read_json(run.path / "training.json")
    except artifacts.BadArtifact:  # stopped before it was trained to the end
        return {}


def _said(ground: Ground) -> str:
    return f"{ground.data}, {ground.protocol}, {ground.n_users:,} users ({ground.mark})"
