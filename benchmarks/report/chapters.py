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
from benchmarks.report.means import ABSENT, MASKED, UNMASKED, Sample
from benchmarks.report.tables import HEADS, SCHEMES
from benchmarks.rows import BASELINES, LEFT_OUT, Row, beside, control, rows
from llmrec import registry

MEASURED = Path(__file__).resolve().parents[1] / "measured"
UNSEEN_TEMPLATE = "test masked unseen template"
ANONYMOUS = "test masked anonymous"
# What issue and papers set as levels: data, seen items, what it is, H@10, N@10.
LEVELS = (
    ("ml-100k", MASKED, "recency-weighted ItemKNN", 0.1930, 0.1077),
    ("lastfm", MASKED, "ItemKNN", 0.0798, 0.0416),
    ("lastfm", MASKED, "TokenRec's own log", 0.0633, 0.0323),
    ("beauty", UNMASKED, "META ID, published", 0.0753, 0.0432),
    ("beauty", MASKED, "ItemKNN on the last 3 items", 0.0736, 0.0462),
    ("ml-1m", MASKED, "ItemKNN on the last 3 items", 0.1808, 0.1006),
)


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
        spent = means.seconds(means.said(row.name, "train_cpu_seconds"))
        lines.append([tables.title(row), *(means.shown(*cell) for cell in cells), means.over_seeds(cells[2][0]), spent])
    head = ("", *(f"{tables.name_of(m)} (95 %)" for m in metrics), "N@100 over seeds", "training, CPU")
    return means.markdown(head, lines)


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
        apart = None if same is None or new is None else Sample((0,), out, (new.per_user - same.per_user)[None])
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
        called = BASELINES.get(name) or SCHEMES.get(name, name)
        lines.append([called, *(means.with_span(*found[m]) for m in ("hit@10", "ndcg@10")), f"{found['new among 10']:.2f}"])
    by_chance = said["chance"]
    lines.append(["chance", f"{by_chance['hit@10']:.4f}", "", f"{by_chance['new among 10']:.2f}"])
    about = f"{said['users asked']:,} users asked, {said['new items']:,} new items, told of {said['told of them']:,} times\n\n"
    return about + means.markdown(("", "H@10 (95 %)", "N@10 (95 %)", "new items among the ten"), lines)


def tasks() -> str:
    """META ID's tasks in words: means over seeds, the outermost bounds of the seeds' intervals, and what stands beside them."""
    lines = []
    for row in tables.of_chapter("tasks"):
        kept = [r.said["tasks"]["tasks"] for r in means.results(row.name) if "tasks" in r.said]
        if not kept:
            lines.append([f"`{row.name}`", ABSENT, *[""] * 5])
        for task in kept[0] if kept else ():
            told = [found[task] for found in kept]
            for metric in told[0]["intervals"]:
                values = [_value(one, metric) for one in told]
                low, high = min(one["intervals"][metric][0] for one in told), max(one["intervals"][metric][1] for one in told)
                beside_ = "; ".join(f"{name} {found[metric]:.4f}" for name, found in told[0]["baselines"].items() if metric in found)
                number = means.with_span(sum(values) / len(values), low, high)
                lines.append([f"`{row.name}`", task, metric, number, str(len(values)), beside_, f"{told[0]['n']:,}"])
    return means.markdown(("", "task", "", "mean (95 %)", "seeds", "beside it", "asked"), lines)


def _value(told: dict[str, Any], metric: str) -> float:
    return float(told["metrics"][metric] if "metrics" in told else told[metric])


def levels(data: Sequence[str]) -> str:
    """The levels to reach on some data sets, and the best of our rows there."""
    lines = []
    for name, policy, what, hit, ndcg in LEVELS:
        if name not in data:
            continue
        best, one, two = _best(tables.presets() if name == "ml-100k" else tables.of_chapter(name), policy)
        level = [what, policy.removeprefix("test "), f"{hit:.4f} / {ndcg:.4f}"]
        if one is None or two is None:
            lines.append([*level, ABSENT, "", ""])
            continue
        sure = means.spans([two, one])
        reached = "yes" if one.mean > ndcg and two.mean > hit else "in part" if one.mean > ndcg or two.mean > hit else "no"
        lines.append([*level, f"`{best}`", f"{means.shown(two, sure[0])} / {means.shown(one, sure[1])}", reached])
    return means.markdown(("level", "seen items", "H@10 / N@10", "our best by N@10", "H@10 / N@10 (95 %)", "reached"), lines)


def ranking() -> str:
    """Milliseconds a person by turns on one machine, from benchmarks/measured/ranking.json."""
    path = MEASURED / "ranking.json"
    catalogues = json.loads(path.read_text(encoding="utf-8"))["catalogues"] if path.exists() else {ABSENT: {"items": "", "rows": [{}]}}
    lines = []
    for name, found in catalogues.items():
        for one in found["rows"]:
            spread = f"{one['ms']:.2f} ms ({one['least']:.2f} to {one['most']:.2f})" if one else ""
            columns = ("names", "head", "prompt", "passes", "batch", "threads")
            lines.append([name, *(str(one.get(column, "")) for column in columns), spread, str(one.get("of_retrieve", ""))])
    return means.markdown(("catalogue", "names", "head", "pieces read", "passes", "people at once", "threads", "a person", "times"), lines)


def _best(chosen: Sequence[Row], policy: str) -> tuple[str, Sample | None, Sample | None]:
    """The row with the best N@10 of those that were measured, with its N@10 and H@10."""
    kept = [(row.name, means.sample(row.name, "ndcg@10", policy), means.sample(row.name, "hit@10", policy)) for row in chosen]
    return max(kept, key=lambda found: -1.0 if found[1] is None else found[1].mean, default=("", None, None))


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
