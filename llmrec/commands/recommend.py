"""Items for a user of the data, or for someone known only by titles they liked.

Titles are set apart by semicolons; case, articles, missing years and typos are forgiven.
Example: llmrec recommend metaid-ml-100k-sketch-1 --history "Alien; Blade Runner" -k 5
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from llmrec.commands import layout


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's name or folder")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="KEY", help="a user of the data, by key; their last item is not told to the model")
    who.add_argument("--history", metavar='"TITLE; TITLE"', help="titles, oldest first")
    parser.add_argument("-k", type=int, default=10, help="how many items (default: 10)")
    parser.add_argument("--unmasked", action="store_true", help="let items come back that are in the history")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec.runs import store

    if args.k < 1:
        raise ValueError(f"-k {args.k} must be 1 or more")
    found = store.open_run(args.run)
    catalog = found.dataset().catalog
    query = query_of(args, found, catalog)
    recommender: Any = found.recommender()
    begin = time.perf_counter()
    ranked = recommender.recommend(query, min(args.k, len(catalog.items)))
    seconds = time.perf_counter() - begin
    chosen = [(int(i), float(s)) for i, s in zip(ranked.items[0], ranked.scores[0], strict=True) if i >= 0]
    items = [
        {
            "rank": rank,
            "key": catalog.item_keys[i],
            "title": catalog.titles[i],
            "score": score,
            "pieces": [str(p) for p in recommender.table.items.spell(i)],  # new items too, which the run's own table does not name
        }
        for rank, (i, score) in enumerate(chosen, 1)
    ]
    return {"items": items, "seconds": round(seconds, 4)}


def text(result: dict[str, Any]) -> str:
    rows = [(i["rank"], i["key"], i["title"], " ".join(i["pieces"]), round(i["score"], 3)) for i in result["items"]]
    return layout.table(f"Recommended in {result['seconds']:.2f} s", ("rank", "key", "title", "name", "score"), rows)


def query_of(args: argparse.Namespace, found: Any, catalog: Any) -> Any:
    """One query for whom the words `--user` or `--history` name; `--unmasked` lets what they know come back."""
    from llmrec.contracts import Queries
    from llmrec.recommend import titles

    if args.history is not None:
        history = titles.history(args.history, catalog)
        return Queries.of_history(history, [] if args.unmasked else None)
    user = user_index(args.user, catalog)
    split = found.split()
    asked = split.asked("test").tolist()  # not by the queries' own users: there people held out of training are -1
    if user in asked:
        row = asked.index(user)
        return split.queries("test", masked=not args.unmasked)[row : row + 1]
    history = split.train.history(user).tolist()
    if not history:
        raise ValueError(f"user {args.user!r} has no history to go by: give --history")
    return Queries.of_history(history, [] if args.unmasked else None, user)


def user_index(key: str, catalog: Any) -> int:
    """A user's number by key. ValueError with the near keys."""
    import difflib

    if key not in catalog.user_of_key:
        close = difflib.get_close_matches(key, catalog.user_keys, n=3, cutoff=0.5) or catalog.user_keys[:3]
        raise ValueError(f"no user has the key {key!r}: there are {', '.join(close)} and others ({len(catalog.user_keys):,} in all)")
    return int(catalog.user_of_key[key])
