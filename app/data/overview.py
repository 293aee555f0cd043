"""A data set as an overview: counts with their meaning, and charts with their tables.

Where it stands: under `backend`, over `llmrec.data.describe` and `llmrec.view`. What it does not know: pages, models.
"""

from __future__ import annotations

from typing import Any

from app.exhibits import MOST, bars, dressed
from app.seam import Exhibit, Overview
from llmrec.contracts import Dataset
from llmrec.view import longtail


def overview(dataset: Dataset, dark: bool = False) -> Overview:
    """All the Data page shows of a data set."""
    from llmrec.data.describe import describe

    facts = describe(dataset)
    taken = dataset.interactions
    tail = longtail.long_tail_table(taken)
    tail.insert(2, "title", [dataset.catalog.titles[i] for i in tail["item"]])
    exhibits = [
        Exhibit(
            "longtail",
            "The long tail",
            f"The most taken fifth of the items holds {facts['long_tail']['head_20']:.0%} of all interactions; "
            f"{facts['long_tail']['rare']:.0%} of the items were taken fewer than ten times.",
            tail.drop(columns="item"),
            dressed(longtail.long_tail(taken, dark)),
        ),
        Exhibit(
            "histories",
            "Lengths of histories",
            f"Half of the users have {facts['history']['median']:.0f} interactions or fewer; "
            f"the longest history has {facts['history']['max']:.0f}.",
            longtail.history_length_table(taken),
            dressed(longtail.history_lengths(taken, dark)),
        ),
    ]
    when = longtail.activity_table(taken)
    if len(when) > 1:
        most = int(when["interactions"].to_numpy().argmax())
        said = f"From {facts['times']['from']} to {facts['times']['to']}; most in the span that began on {when['from'].iloc[most]}."
        exhibits.append(Exhibit("activity", "Activity over time", said, when, dressed(longtail.activity(taken, dark))))
    if facts["ratings"]:
        exhibits.append(_ratings(facts["ratings"], dark))
    if facts["decades"]:
        exhibits.append(bars("decades", "Items by decade", "When the items of the catalogue came out.", facts["decades"], "decade", dark))
    if facts["genres"]:
        known = len(facts["genres"])
        said = "An item can have several genres and counts in each."
        exhibits.append(
            bars(
                "genres",
                "Items by genre",
                said if known <= MOST else f"The {MOST} largest of {known:,}. {said}",
                facts["genres"],
                "genre",
                dark,
            )
        )
    return Overview(facts["name"], _counts(facts), tuple(exhibits), tuple(facts["notes"]))


def _ratings(counted: dict[str, int], dark: bool) -> Exhibit:
    """Ratings as bars; the mean in words. A model learns who took what: ratings are no part of it unless a split or a task says so."""
    total = sum(counted.values())
    mean = sum(float(score) * n for score, n in counted.items()) / total
    shown = {f"{float(score):g}": n for score, n in counted.items()}
    said = f"{mean:.2f} on average. Models here learn who took what; a rating counts only where a split or a task asks for it."
    return bars("ratings", "Ratings", said, shown, "rating", dark, "interactions")


def _counts(facts: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    times = facts["times"]
    counts = [
        ("Users", f"{facts['n_users']:,}", "People with at least one interaction."),
        ("Items", f"{facts['n_items']:,}", "Things that can be recommended."),
        ("Interactions", f"{facts['n_interactions']:,}", "Who took what, each counted once."),
        ("Sparsity", f"{facts['sparsity']:.1%}", "The share of user-item pairs that never met."),
        ("Per user", f"{facts['history']['median']:.0f}", "The median: half of the users have this many interactions or fewer."),
        ("Per item", f"{facts['item_interactions']['median']:.0f}", "The median: half of the items were taken this often or less."),
        ("Tied in time", f"{times['tied']:.0%}", "Neighbours in a history that share their time; they keep the order of the file."),
    ]
    if "from" in times:
        counts.append(("Years", _years(times), f"From {times['from']} to {times['to']}."))
    return tuple(counts)


def _years(times: dict[str, Any]) -> str:
    """Short enough for its tile: 1997–98."""
    first, last = times["from"][:4], times["to"][:4]
    if first == last:
        return str(first)
    return f"{first}–{last[2:] if first[:2] == last[:2] else last}"
