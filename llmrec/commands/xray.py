"""Look into one recommendation: what the model reads, how its head chooses, and where an item was lost.

The item that is followed is the held-out one, or the one that --item names by its key.
Example: llmrec xray metaid-ml-100k-sketch-1 --user 42
"""

from __future__ import annotations

import argparse
import math
from typing import Any

from llmrec.commands import layout, recommend

TOP = 10


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's name or folder")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="KEY", help="a user of the data, by key; their last item is not told to the model")
    who.add_argument("--history", metavar='"TITLE; TITLE"', help="titles, oldest first")
    parser.add_argument("--item", metavar="KEY", help="the item to follow (default: the one held out for the user)")
    parser.add_argument("--template", metavar="T", default="0", help="the words around the history: 0, 1, ... or unseen-0 (default: 0)")
    parser.add_argument("--unmasked", action="store_true", help="let items come back that are in the history")
    parser.add_argument("--what-if", action="store_true", help="rank anew without each of the ten newest items, and in another order")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec.recommend.language import LanguageRecommender
    from llmrec.recommend.trace import looking, pieces, reading, verdict
    from llmrec.runs import store

    found = store.open_run(args.run)
    catalog = found.dataset().catalog
    query = recommend.query_of(args, found, catalog)
    target = _target(args, found, catalog)
    model: Any = found.recommender()
    assert isinstance(model, LanguageRecommender)
    words = reading.template(model.task, args.template)
    trace = looking.look(model, query, target, words)
    said = verdict.verdict(trace, catalog.titles, model.lm.vocab, TOP)
    after = pieces.after(model, trace.reading.ids)
    return {
        "verdict": {"fate": said.fate, "head": said.head, "text": said.text},
        "item": None if target is None else {"key": catalog.item_keys[target], "title": catalog.titles[target]},
        "place": trace.place,
        "rank": trace.rank,
        "ranked": trace.n_ranked,
        "found": len(trace.items),
        "prompt": _prompt(trace.reading, model, catalog),
        "next": _next(after, model),
        "items": [
            _listed(n, int(i), float(s), catalog) for n, (i, s) in enumerate(zip(trace.items, trace.scores, strict=True), 1) if n <= TOP
        ],
        **_evidence(trace, model),
        **({"what_if": _what_if(model, query, target, words, catalog)} if args.what_if else {}),
    }


def text(result: dict[str, Any]) -> str:
    prompt, after = result["prompt"], result["next"]
    parts = [
        f"{result['verdict']['head']}\n  {layout.cell(result['verdict']['text'])}",
        f"It reads {prompt['pieces']} pieces, {prompt['tokens']} of them Tokens; {prompt['cut']} items were left out\n"
        f"  {layout.cell(''.join(f' {p}' if p.startswith('<') else p for p in prompt['written']).strip())}",
        layout.table(
            f"What may come next ({after['legal']:.1%} of the belief lies on {after['allowed']} pieces that a name begins with)",
            ("piece", "row", "probability", "may follow"),
            [(p["piece"].strip(), p["row"], p["probability"], "yes" if p["legal"] else "no") for p in after["top"]],
        ),
        layout.table(
            "The list", ("rank", "key", "title", "score"), [(i["rank"], i["key"], i["title"], i["score"]) for i in result["items"]]
        ),
    ]
    if result.get("path"):
        rows = [
            (n, p["piece"].strip(), p["probability"], p["total"], p["rank"], p["of"], p["cut"], p["kept"])
            for n, p in enumerate(result["path"], 1)
        ]
        columns = ("piece", "written", "probability", "log p so far", "came", "of", "the cut", "kept")
        parts.append(layout.table(f"The followed name, with a beam of {result['beams']}", columns, rows))
    if "what_if" in result:
        pasts = [(w["past"], w["rank"], w["score"]) for w in result["what_if"]]
        parts.append(layout.table("What if", ("past", "rank", "score"), pasts))
    return "\n\n".join(parts)


def _target(args: argparse.Namespace, found: Any, catalog: Any) -> int | None:
    """The item to follow: as asked, or the first that was held out for the user."""
    import difflib

    if args.item is not None:
        if args.item not in catalog.item_of_key:
            close = difflib.get_close_matches(args.item, catalog.item_keys, n=3, cutoff=0.5) or catalog.item_keys[:3]
            raise ValueError(f"no item has the key {args.item!r}: there are {', '.join(close)} and others")
        return int(catalog.item_of_key[args.item])
    if args.user is None:
        return None
    held = sorted(int(i) for i in found.split().test.history(recommend.user_index(args.user, catalog)))
    return held[0] if held else None


def _prompt(read: Any, model: Any, catalog: Any) -> dict[str, Any]:
    vocab = model.lm.vocab
    parts = [
        {
            "kind": s.kind,
            "item": catalog.item_keys[s.item] if s.item >= 0 else None,
            "rows": list(s.ids),
            "pieces": list(map(str, vocab.decode(s.ids))),
        }
        for s in read.stretches
    ]
    written = [piece for part in parts for piece in part["pieces"]]
    return {"pieces": len(read.ids), "tokens": read.tokens(vocab.first), "cut": read.cut, "written": written, "parts": parts}


def _next(after: Any, model: Any) -> dict[str, Any]:
    allowed = set(after.allowed.tolist())
    rows = after.top(TOP)
    written = model.lm.vocab.decode(rows)
    top = [
        {"piece": str(piece), "row": row, "probability": math.exp(after.log_p[row]), "legal": row in allowed}
        for row, piece in zip(rows, written, strict=True)
    ]
    return {"tokens": after.tokens, "legal": after.legal, "allowed": len(allowed), "top": top}


def _listed(rank: int, item: int, score: float, catalog: Any) -> dict[str, Any]:
    return {"rank": rank, "key": catalog.item_keys[item], "title": catalog.titles[item], "score": score}


def _evidence(trace: Any, model: Any) -> dict[str, Any]:
    """What the head chose by, as far as a followed item shows it."""
    from llmrec.recommend.trace import whole
    from llmrec.recommend.trace.beam import Beam

    if isinstance(trace.evidence, Beam):
        path = [_pace(n, pace, trace.evidence, model) for n, pace in enumerate(trace.evidence.path)]
        return {"beams": trace.evidence.width, "lost": trace.evidence.lost, "needed": trace.evidence.needed, "path": path}
    if trace.target is None:
        return {}
    if isinstance(trace.evidence, whole.Nearness):
        return {"cosine": _number(trace.evidence.cosines[trace.target]), "mean_cosine": trace.evidence.mean}
    shares = whole.shares(model, trace.evidence, trace.target)
    written = model.lm.vocab.decode([row for row, _ in shares])
    logits = [{"piece": str(piece), "logit": part} for piece, (_, part) in zip(written, shares, strict=True)]
    return {"probability": math.exp(trace.evidence.log_p[trace.target]), "logits": logits}


def _pace(number: int, pace: Any, beam: Any, model: Any) -> dict[str, Any]:
    depth = beam.depths[number] if pace.rank is not None else None
    return {
        "piece": str(model.lm.vocab.decode([pace.row])[0]),
        "row": pace.row,
        "probability": math.exp(pace.step),
        "total": pace.total,
        "rank": pace.rank,
        "of": None if depth is None else depth.n_open,
        "cut": None if depth is None else _number(depth.cut),
        "kept": "yes" if pace.kept else "no",
    }


def _what_if(model: Any, query: Any, target: int | None, words: Any, catalog: Any) -> list[dict[str, Any]]:
    from llmrec.recommend.trace import whatif

    if target is None:
        raise ValueError("--what-if asks how a rank changes: name the item by --item")
    out = []
    for one in whatif.outcomes(model, query, target, words):
        past = one.variant.what if one.variant.without < 0 else f"without {catalog.titles[one.variant.without]}"
        out.append({"past": past, "rank": one.rank, "score": _number(one.score), "first": catalog.item_keys[one.first]})
    return out


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
