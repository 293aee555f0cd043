"""The tables that most chapters share: rows beside baselines, one line each.

Where it stands: after `means`; `chapters` and `pages` say which rows. What it does not know: what the comparison shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.places import Result
from benchmarks.report import means
from benchmarks.report.means import ABSENT, MASKED, UNMASKED
from benchmarks.rows import BASELINES, LEFT_OUT, Row, beside, rows

ORDER = ("sketch", "demo", "full")
SCHEMES = {
    "rid": "RID",
    "sid": "SID",
    "cid": "CID",
    "title": "title",
    "metaid": "META ID",
    "tiger": "TIGER",
    "tokenrec": "TokenRec",
    "cllm4rec": "CLLM4Rec",
}
HEADS = ("trie", "items", "retrieve")
DATA = {
    "ml-100k": "MovieLens-100K",
    "lastfm": "LastFM",
    "beauty": "Beauty",
    "ml-1m": "MovieLens-1M",
    "million": "made up, one million items",
}


def presets(schemes: Sequence[str] = tuple(SCHEMES)) -> list[Row]:
    """The recipes of these schemes that lie beside each other, not in a chapter: the quick ones first."""
    found = [row for row in rows().values() if not row.chapter and row.name.partition("-")[0] in schemes]
    return sorted(found, key=lambda r: (ORDER.index(r.name.rsplit("-", 1)[-1]), [*schemes].index(r.name.partition("-")[0])))


def of_chapter(chapter: str) -> list[Row]:
    """The recipes of one folder, by name."""
    return [row for row in rows().values() if row.chapter == chapter and row.baseline is None]


def title(row: Row) -> str:
    """What a line is called: a baseline's name, or the recipe's."""
    return BASELINES[row.baseline] if row.baseline is not None else f"`{row.name}`"


def head(row: Row) -> str:
    return "" if row.baseline is not None else str(row.settings(0).get("head", {}).get("name", "trie"))


def accuracy(chosen: Sequence[Row], metrics: tuple[str, str] = ("hit@10", "ndcg@10"), short: bool = False) -> str:
    """Two metrics masked with intervals, the same unmasked, and what it cost in CPU seconds. short: without what only the book needs."""
    lines = []
    for row, cells in zip(chosen, means.grid([r.name for r in chosen], [(m, p) for p in (MASKED, UNMASKED) for m in metrics]), strict=True):
        (_, _), (masked, _), (c, _), (d, _) = cells
        if masked is None or c is None or d is None:
            lines.append(_older(row, short))
            continue
        shown = [means.shown(*cell) for cell in cells]
        policies = [f"{c.mean:.4f} / {d.mean:.4f}"] if short else shown[2:]
        seeds = str(len(masked.seeds)) if short else means.over_seeds(masked)
        spent = [means.training(row.name), means.seconds(means.ranking_seconds(row.name))]
        lines.append([title(row), head(row), *shown[:2], *policies, seeds, *spent])
    one, two = (name_of(m) for m in metrics)
    columns = [f"unmasked {one} / {two}", "seeds"] if short else [f"unmasked {one}", f"unmasked {two}", f"{two} over seeds"]
    table = means.markdown(("", "head", f"{one} (95 %)", f"{two} (95 %)", *columns, "training, CPU", "ranking, CPU"), lines)
    return table + noted(lines)


def noted(lines: Sequence[Sequence[str]]) -> str:
    """What stands under a table some of whose seconds are not whole; "" where all are."""
    some = any(means.KEPT in cell for line in lines for cell in line)
    return f"\n\n{means.KEPT} without vectors or names, which came from the cache of an earlier run." if some else ""


def beside_baselines(data: str, chosen: Sequence[Row], short: bool = False) -> str:
    """Baselines of a data set, then these rows."""
    return accuracy([*(row for row in beside(data, "loo") if row.name not in LEFT_OUT), *chosen], short=short)


def name_of(metric: str) -> str:
    """A metric as the tables write it: H@10."""
    kind, _, cut = metric.partition("@")
    return {"hit": "H", "ndcg": "N", "recall": "R", "mrr": "MRR"}[kind] + f"@{cut}"


def machines() -> str:
    """On what everything was measured, and with which versions."""
    counts: dict[tuple[str, ...], int] = {}
    for result in (r for name in rows() for r in means.results(name)):
        key = _machine(result)
        counts[key] = counts.get(key, 0) + 1
    head = ("processor", "cores", "GPU", "Python", "torch", "transformers", "results")
    return means.markdown(head, [[*key, str(n)] for key, n in sorted(counts.items(), key=lambda found: -found[1])])


def _machine(result: Result) -> tuple[str, ...]:
    where, versions = result.said["machine"], result.said["versions"]
    found = (
        where.get("cpu"),
        where.get("cores"),
        where.get("gpu") or "none",
        *(versions.get(p) for p in ("python", "torch", "transformers")),
    )
    return tuple(str(value) for value in found)


def _older(row: Row, short: bool) -> list[str]:
    """A line for a row without places: its older numbers where there are any."""
    said = means.older(row.name)
    if said is None or row.protocol != "loo":
        return [title(row), head(row), ABSENT, *[""] * (5 if short else 6)]
    masked = [means.with_span(said["metrics"][m], *said["intervals"][m]) for m in ("hit@10", "ndcg@10")]
    values = [f"{said['unmasked']['metrics'][m]:.4f}" for m in ("hit@10", "ndcg@10")]
    open_ = [" / ".join(values)] if short else values
    kept = means.KEPT if means.from_cache(said) else ""
    spent = [f"{means.seconds([means.trained(said, 'train_seconds')])} wall{kept}", f"{means.seconds([said['seconds']])} wall"]
    return [title(row), head(row), *masked, *open_, "1", *spent]
