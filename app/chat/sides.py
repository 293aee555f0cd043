"""Who may stand beside whom: models of equal data, each once, four at most; and who stands there when nobody was named.

Where it stands: between the list of models and the stage. What it does not know: Gradio, HTML, how models answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.chat.stage import MOST
from app.seam.chat import Model

NOBODY = "Nobody can answer yet: train a model on the Train page, or with `llmrec train metaid-ml-100k-sketch` (about a minute)."


def standing(models: Sequence[Model], named: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The models that an address names as far as they can stand together, and a sentence for each that cannot. A lone one gets company."""
    known = {m.key: m for m in models}
    chosen: list[str] = []
    told: list[str] = []
    for key in named:
        said = refused(models, chosen, key)
        if said:
            told.append(said)
        else:
            chosen.append(key)
    if not chosen and models:
        chosen.append(models[0].key)
    if len(chosen) == 1 and len(named) <= 1:
        chosen += [m for m in [beside(models, chosen)] if m]
    return tuple(k for k in chosen if k in known), tuple(told)


def beside(models: Sequence[Model], chosen: Sequence[str]) -> str:
    """Who joins those that stand there: tuned runs, then others, then baselines, another scheme before the same; "" for nobody."""
    known = {m.key: m for m in models}
    here = [known[k] for k in chosen if k in known]
    free = [m for m in models if m.key not in chosen and (not here or m.data == here[0].data)]
    schemes = {m.scheme for m in here}
    ordered = sorted(free, key=lambda m: (not m.tuned, not m.scheme, m.scheme in schemes))
    return ordered[0].key if ordered else ""


def refused(models: Sequence[Model], chosen: Sequence[str], key: str) -> str:
    """Why a model cannot stand beside those that are chosen; "" where it can."""
    known = {m.key: m for m in models}
    if key not in known:
        return f"There is no model {key!r:.100} here." + (" Choose one from the list." if models else "")
    if key in chosen:
        return f"{known[key].label} stands here already; each side needs a model of its own."
    other = next((known[k] for k in chosen if k in known and known[k].data != known[key].data), None)
    if other is not None:
        return (
            f"{known[key].label} learned from other data ({known[key].data}) than {other.label} ({other.data}): they know other titles and "
            "other people. Remove the other sides first, or open it alone."
        )
    if len(chosen) >= MOST:
        return f"{MOST} sides stand here already. Remove one first."
    return ""


def choices(models: Sequence[Model]) -> list[tuple[str, str]]:
    """Label and key of each model for a list; labels tell models of other data, and equal ones, apart."""
    several = len({m.data for m in models}) > 1
    labels = [f"{m.label} · {m.data}" if several else m.label for m in models]
    told = [m.label + (" · fixed sentences" if not m.tuned else "") for m in models]
    told = [f"{t} · {m.data}" if several else t for t, m in zip(told, models, strict=True)]
    twice = {label for label in labels if labels.count(label) > 1}
    return [(f"{t} · {m.key}" if label in twice else t, m.key) for t, label, m in zip(told, labels, models, strict=True)]
