"""The chapters of docs/results.md, each one or two tables.

Where it stands: after `tables` and `means`; `pages` puts what is made here between the marks. What it does not know: the prose around it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.places import members
from benchmarks.report import means, tables
from benchmarks.report.claims import paired
from benchmarks.report.means import ABSENT, MASKED, UNMASKED, Sample
from benchmarks.report.tables import HEADS, SCHEMES
from benchmarks.rows import BASELINES, LEFT_OUT, Row, beside, control, rows
from llmrec import registry
from llmrec.report.compare import Interval

MEASURED = Path(__file__).resolve().parents[1] / "measured"
UNSEEN_TEMPLATE = "test masked unseen template"
ANONYMOUS = "test masked anonymous"
# What issue and papers set as levels: data, seen items, what it is, H@10, N@10, and the baseline where it is one. A baseline's level was
# fitted on train and validation together; our row of it, like all our rows, on train alone.
LEVELS = (
    ("ml-100k", MASKED, "recency-weighted ItemKNN", 0.1930, 0.1077, "itemknn-last3"),
    ("lastfm", MASKED, "ItemKNN", 0.0798, 0.0416, "itemknn"),
    ("lastfm", MASKED, "TokenRec's own log", 0.0633, 0.0323, None),
    ("beauty", UNMASKED, "META ID, published", 0.0753, 0.0432, None),
    ("beauty", MASKED, "ItemKNN on the last 3 items", 0.0736, 0.0462, "itemknn-last3"),
    ("ml-1m", MASKED, "ItemKNN on the last 3 items", 0.1808, 0.1006, "itemknn-last3"),
)
Numbers = tuple[tuple[float, float, float], ...]  # mean, low, high of H@10 and of N@10


def proposed() -> str:
    """ML-100K: the three papers' systems at every preset, beside the baselines."""
    return tables.beside_baselines("ml-100k", tables.presets(("metaid", "tokenrec", "cllm4rec")))


def names() -> str:
    """ML-100K: eight names at the same budget."""
    return tables.accuracy([row for row in tables.presets() if row.name.endswith("-sketch")])


def brief() -> str:
    """The README's table: baselines and presets."""
    return tables.beside_baselines("ml-100k", tables.presets(), short=True)


def of_data(data: str) -> str:
    """A larger data set beside its baselines."""
    return tables.beside_baselines(data, tables.of_chapter(data))


def matrix() -> str:
    """Every scheme behind every head at the budget of the sketches: numbers, or why there are none."""
    found = {(scheme, head): pair(scheme, head) for scheme in SCHEMES for head in HEADS}
    kept = {key: None if row is None else means.sample(row.name, "ndcg@10") for key, row in found.items()}
    hits = {key: None if row is None else means.sample(row.name, "hit@10") for key, row in found.items()}
    sure = dict(zip(kept, means.spans([*kept.values()]), strict=True))
    refused = json.loads((MEASURED / "refusals.json").read_text(encoding="utf-8"))["said"]
    lines = []
    for scheme, name in SCHEMES.items():
        cells = []
        for head in HEADS:
            key = (scheme, head)
            hit, one, span = hits[key], kept[key], sure[key]
            if found[key] is None:
                cells.append(f"refused: {refused[f'{scheme} {head}']}")
            else:
                cells.append(ABSENT if hit is None or one is None or span is None else f"{hit.mean:.4f} / {means.shown(one, span)}")
        lines.append([name, *cells])
    return means.markdown(("names", *(f"{head}: H@10 / N@10 (95 %)" for head in HEADS)), lines)


def pair(scheme: str, head: str) -> Row | None:
    """The sketch of a scheme behind a head: its preset, or a row of the chapter heads; None for a pair that is refused."""
    preset = rows()[f"{scheme}-ml-100k-sketch"]
    return preset if tables.head(preset) == head else rows().get(f"heads/{scheme}-{head}-ml-100k-sketch")


def codes() -> str:
    """TokenRec's names by several quantizers, under prompts it knows and under one it does not."""
    chosen = [rows()[name] for name in ("tokenrec-ml-100k-sketch", "metaid-ml-100k-sketch")] + tables.of_chapter("codes")
    columns = [(m, r) for r in (MASKED, UNSEEN_TEMPLATE) for m in ("hit@10", "ndcg@10")]
    lines = []
    for row, cells in zip(chosen, means.grid([r.name for r in chosen], columns), strict=True):
        quantizer = row.settings(0)["scheme"].get("quantizer", "")
        lines.append([f"`{row.name}`", quantizer, *(means.shown(*cell) for cell in cells), means.over_seeds(cells[1][0])])
    head = ("", "quantizer", "H@10 (95 %)", "N@10 (95 %)", "unseen template H@10", "unseen template N@10", "N@10 over seeds")
    return means.markdown(head, lines)


def mutual() -> str:
    """CLLM4Rec and its ablations by its own protocol, beside the baselines on the same split."""
    metrics = ("recall@20", "recall@40", "ndcg@100")
    chosen = [*(r for r in beside("ml-100k", "holdout") if r.name not in LEFT_OUT), *tables.of_chapter("mutual")]
    lines = []
    for row, cells in zip(chosen, means.grid([r.name for r in chosen], [(m, MASKED) for m in metrics]), strict=True):
        shown = (means.shown(*cell) for cell in cells)
        lines.append([tables.title(row), *shown, means.over_seeds(cells[2][0]), means.training(row.name)])
    head = ("", *(f"{tables.name_of(m)} (95 %)" for m in metrics), "N@100 over seeds", "training, CPU")
    return means.markdown(head, lines) + tables.noted(lines)


def unseen() -> str:
    """Held-out users under each recipe, beside the very same users where they were trained on, and everybody else."""
    chosen = [*beside("ml-100k", "unseen-users"), *(r for r in tables.of_chapter("unseen") if r.protocol == "unseen-users")]
    lines = []
    for row in chosen:
        kept, plain = means.results(row.name), control(row)
        if not kept:
            lines.append([tables.title(row), *[ABSENT] * 5])
            continue
        out = members(kept[0].said["held_out"])
        everybody = means.sample(row.name, "ndcg@10")
        assert everybody is not None
        rest = np.setdiff1d(everybody.users, out)
        new, known = means.sample(row.name, "ndcg@10", users=out), means.sample(row.name, "ndcg@10", users=rest)
        same = None if plain is None else means.sample(plain.name, "ndcg@10", users=out)
        pair = paired(new, same)
        apart = None if pair is None else Sample((0,), out, (pair[0].per_user - pair[1].per_user)[None])
        nameless = means.sample(row.name, "ndcg@10", ANONYMOUS, users=out)
        found = (new, nameless, same, known)
        shown = [means.shown(one, span) for one, span in zip(found, means.spans(found), strict=True)]
        shown[1] = "" if row.baseline is not None else shown[1]
        (lost,) = means.spans([apart])
        lines.append([tables.title(row), *shown, ABSENT if lost is None else means.signed(lost)])
    head = ("", "unseen users, N@10", "without a name", "the same users, trained on", "all other users", "unseen less trained on")
    return means.markdown(head, lines)


def unseen_items() -> str:
    """Items that came after training, asked of users who never told of them, from benchmarks/measured/unseen-items.json."""
    path = MEASURED / "unseen-items.json"
    if not path.exists():
        return ABSENT
    said = json.loads(path.read_text(encoding="utf-8"))
    lines = []
    for name, found in said["results"].items():
        known, comma, fitted = name.partition(",")
        called = (BASELINES | SCHEMES).get(known, known) + comma + fitted
        less = said["less"].get(name)
        numbers = [*(means.with_span(*found[m]) for m in ("hit@10", "ndcg@10")), f"{found['new among 10']:.2f}"]
        lines.append([called, *numbers, "" if less is None else means.signed(Interval(*less["ndcg@10"]))])
    by_chance = said["chance"]
    lines.append(["chance", f"{by_chance['hit@10']:.4f}", "", f"{by_chance['new among 10']:.2f}", ""])
    about = f"{said['users asked']:,} users asked, {said['new items']:,} new items, told of {said['told of them']:,} times\n\n"
    by = "; ".join(f"{found['hit@10']:.3f} of {found['users']} users where told by {band}" for band, found in said["by takers"].items())
    head = ("", "H@10 (95 %)", "N@10 (95 %)", "new items among the ten", "the run less this, N@10 (95 %)")
    return f"{about}{means.markdown(head, lines)}\n\nH@10 of the run by how many told of the item: {by}."


def tasks() -> str:
    """META ID's tasks in words: means over seeds, the outermost bounds of the seeds' intervals, and baselines at the same seeds."""
    lines = []
    for row in tables.of_chapter("tasks"):
        kept = [r.said["tasks"]["tasks"] for r in means.results(row.name) if "tasks" in r.said]
        if not kept:
            lines.append([f"`{row.name}`", ABSENT, *[""] * 5])
        for task in kept[0] if kept else ():
            told = [found[task] for found in kept]
            for metric in told[0].get("metrics") or ("rmse", "mae"):
                number = _over(told, metric, [one["intervals"].get(metric) for one in told])
                others = (name for name, found in told[0]["baselines"].items() if metric in found)
                beside_ = "; ".join(_beside(told, name, metric) for name in others)
                asked = " to ".join(f"{n:,}" for n in sorted({min(one["n"] for one in told), max(one["n"] for one in told)}))
                lines.append([f"`{row.name}`", task, metric, number, str(len(told)), beside_, asked])
    return means.markdown(("", "task", "", "mean (95 %)", "seeds", "beside it", "asked"), lines)


def _beside(told: Sequence[dict[str, Any]], baseline: str, metric: str) -> str:
    """A baseline's mean over seeds, and the row less the baseline, paired, with the outermost bounds of the seeds."""
    value = f"{baseline} {_over([one['baselines'][baseline] for one in told], metric)}"
    less = [one.get("differences", {}).get(baseline, {}).get(metric) for one in told]
    if None in less:
        return value
    span = Interval(sum(mean for mean, _, _ in less) / len(less), min(low for _, low, _ in less), max(high for _, _, high in less))
    return f"{value}, ours less that {means.signed(span)}"


def _over(told: Sequence[dict[str, Any]], metric: str, bounds: Sequence[Sequence[float] | None] = ()) -> str:
    """A metric's mean over seeds, with the outermost of the bounds where every seed has some."""
    values = [float(one["metrics"][metric] if "metrics" in one else one[metric]) for one in told]
    mean, sure = sum(values) / len(values), [bound for bound in bounds if bound is not None]
    if len(sure) < len(values):
        return f"{mean:.4f}"
    return means.with_span(mean, min(low for low, _ in sure), max(high for _, high in sure))


def levels(data: Sequence[str]) -> str:
    """The levels to reach on some data sets, the same baselines fitted as our rows are, and our best row by validation against both."""
    lines = []
    for name, policy, what, hit, ndcg, baseline in LEVELS:
        if name not in data:
            continue
        own = None if baseline is None else _numbers(f"baselines/{baseline}-{name}", policy)
        alone = "" if baseline is None else ABSENT if own is None else " / ".join(f"{number[0]:.4f}" for number in own)
        fitted = "" if baseline is None else ", fitted on train and validation"
        level = [tables.DATA[name], what + fitted, policy.removeprefix("test "), f"{hit:.4f} / {ndcg:.4f}", alone]
        best = _best(name)
        found = None if best is None else _numbers(best, policy)
        if found is None:
            lines.append([*level, ABSENT, *[""] * 4])
            continue
        against = " / ".join(map(_reached, found, (hit, ndcg)))
        also = "" if own is None else " / ".join(_reached(ours, theirs[0]) for ours, theirs in zip(found, own, strict=True))
        lines.append([*level, f"`{best}`", *(means.with_span(*number) for number in found), against, also])
    head = ("data", "level", "seen items", "H@10 / N@10", "the same, fitted on train alone", "our best by validation")
    return means.markdown((*head, "H@10 (95 %)", "N@10 (95 %)", "level reached: H / N", "train alone reached: H / N"), lines)


def _reached(found: tuple[float, float, float], level: float) -> str:
    mean, low, high = found
    word = "yes" if mean > level else "no"
    return word if low > level or high < level else f"{word}, inside the interval"


def _numbers(row: str, policy: str) -> Numbers | None:
    """H@10 and N@10 of a row with their bounds, an older result's where there is no newer; None where nothing tells them."""
    kept = [means.sample(row, metric, policy) for metric in ("hit@10", "ndcg@10")]
    sure = means.spans(kept)
    if kept[0] is not None:
        return tuple((one.mean, span.low, span.high) for one, span in zip(kept, sure, strict=True) if one is not None and span is not None)
    said = means.older(row)
    if said is None or policy != MASKED:  # older results keep no bounds of the unmasked numbers
        return None
    return tuple((said["metrics"][m], *said["intervals"][m]) for m in ("hit@10", "ndcg@10"))


def _best(data: str) -> str | None:
    """The row of a data set, left one out, whose N@10 on validation is best, older results included; test is not looked at."""
    known = (
        (row.name, _validation(row.name)) for row in rows().values() if row.baseline is None and (row.data, row.protocol) == (data, "loo")
    )
    measured = [(value, name) for name, value in known if value is not None]
    return max(measured)[1] if measured else None


def _validation(row: str) -> float | None:
    one, said = means.sample(row, "ndcg@10", means.VALID), means.older(row)
    if one is not None:
        return one.mean
    return None if said is None else said.get("trained", {}).get("validation_ndcg@10")


def ranking() -> str:
    """Milliseconds a person by turns on one machine, from benchmarks/measured/ranking.json."""
    path = MEASURED / "ranking.json"
    catalogues: dict[str, Any] = (
        json.loads(path.read_text(encoding="utf-8"))["catalogues"] if path.exists() else {ABSENT: {"items": "", "rows": [{}]}}
    )
    lines = []
    for name, found in catalogues.items():
        for one in found["rows"]:
            spread = f"{one['ms']:.2f} ms ({one['least']:.2f} to {one['most']:.2f})" if one else ""
            columns = ("names", "head", "prompt", "passes", "batch", "threads")
            lines.append([name, *(str(one.get(column, "")) for column in columns), spread, str(one.get("of_retrieve", ""))])
    return means.markdown(("catalogue", "names", "head", "pieces read", "passes", "people at once", "threads", "a person", "times"), lines)


def speed() -> str:
    """CPU seconds of ranking everybody: the same names spelled by beam search, and retrieved."""
    lines = []
    for scheme, name in SCHEMES.items():
        spelled, retrieved = (pair(scheme, head) for head in ("trie", "retrieve"))
        if spelled is None or retrieved is None:
            continue
        a, b = (means.ranking_seconds(row.name) for row in (spelled, retrieved))
        if not a or not b:
            lines.append([name, ABSENT, "", ""])
            continue
        asked = means.sample(spelled.name, "hit@10")
        assert asked is not None
        each = [1000 * sum(x) / len(x) / len(asked.users) for x in (a, b)]
        lines.append([name, f"{each[0]:.2f} ms", f"{each[1]:.2f} ms", f"{each[1] / each[0]:.2f}"])
    return means.markdown(("names", "trie, CPU per user", "retrieve, CPU per user", "share"), lines)


def missing_titles() -> list[str]:
    """Registered schemes and baselines that have no title here, and titles of none: both must be empty."""
    return sorted((set(registry.names("scheme")) - {"imported"}) ^ set(SCHEMES) | (set(registry.names("baseline")) ^ set(BASELINES)))
