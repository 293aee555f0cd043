"""The scenes of TokenRec's story: one vector's way through the masked quantizer, and what masks and sizes do, as sentences and figures.

Where it stands: under `masking_room`, over `ids.vq.holes` and `llmrec.view`. What it does not know: runs, errands, Streamlit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from app import exhibits
from app.errands import Errand
from app.seam.stories import Pending, Scene
from app.seam.values import Card, Exhibit
from app.tour import quantizing
from app.tour.shelf import Source
from llmrec.contracts import IdTable, Names, Vectors
from llmrec.ids.tokenrec import TokenRec
from llmrec.ids.vq.holes import Look
from llmrec.ids.vq.masked import Masked
from llmrec.view.levels import Levels


@dataclass(frozen=True, eq=False)
class Origin:
    """The names that are looked into. source: where they are from; quantizer: of items."""

    source: Source
    table: IdTable
    vectors: Vectors
    quantizer: Masked
    levels: Levels

    @property
    def settings(self) -> TokenRec:
        found: TokenRec = self.source.recipe.scheme
        return found

    @property
    def embedder(self) -> str:
        """What the vectors are from."""
        made = type(self.source.recipe.embed).__name__
        return "LightGCN" if made == "LightGcn" else made

    @property
    def sampled(self) -> int:
        """How many items quantizers are compared on: those that have a vector, or a sample of them."""
        return min(quantizing.SAMPLE, int(self.vectors.items.any(axis=1).sum()))

    @property
    def words(self) -> tuple[str, str]:
        """How an errand is told about them: its first word, and its text."""
        run = self.source.run
        return (quantizing.NO_RUN, self.source.recipe.to_toml()) if run is None else (run.name, "")


def waiting(key: Hashable, what: str, cost: str, errand: Errand) -> Pending:
    """An errand as a scene tells it; one that is done is looked for once more."""
    trouble = errand.reason if errand.state == "failed" else ""
    return Pending(what, cost, errand.share, errand.seconds, errand.ahead, trouble, key)


def cosine(a: Any, b: Any) -> float:
    """Of two vectors; 0 where one is nothing."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.dot(a, b)) / length if length else 0.0


def mask(found: Origin, whole: Look, holed: Look, share: float, dark: bool) -> Scene:
    from llmrec.view import quantizing as drawing

    table = drawing.strip_table(whole.row, holed.hidden)
    n, d = int(holed.hidden.sum()), len(whole.row)
    lost = float((whole.row[holed.hidden] ** 2).sum() / max(float((whole.row**2).sum()), 1e-12))
    caption = f"{n} of {d} numbers are hidden: hollow bars, of which the encoders see the mean of all items instead."
    exhibit = Exhibit("mask_strip", "The vector, with holes", caption, table, exhibits.dressed(drawing.strip(table, dark), 320))
    said = (
        f"This is the item's {found.embedder} vector as the quantizer sees it: brought to length 1, less the mean of all items, all on one "
        f"scale. What is hidden here carries {lost:.0%} of what tells this item from the mean."
    )
    numbers = (
        ("Hidden", f"{n} of {d}", f"Each number is hidden on its own with probability {share:.0%}; another draw hides others."),
        ("Of its length", f"{lost:.0%}", "Share of the squared length of the vector, mean taken off, that lies in the hidden numbers."),
    )
    return Scene(said, numbers, (exhibit,))


def encode(whole: Look, holed: Look, dark: bool) -> Scene:
    from llmrec.view import quantizing as drawing

    table = drawing.said_table(whole, holed)
    near = [cosine(a, b) for a, b in zip(whole.said, holed.said, strict=True)]
    least = min(range(len(near)), key=near.__getitem__)
    caption = (
        "Two lines of colour per encoder: what it says of the whole vector, and of the vector with holes. Alike means: it did not mind."
    )
    figure = exhibits.dressed(drawing.said(table, dark), 110 + 46 * len(near))
    said = (
        f"{len(near)} small nets look at the same holes, and each says something of its own. "
        f"Encoder {least + 1} minds the holes most: cosine {near[least]:.2f} to what it says of the whole vector."
    )
    meaning = "Cosine between what this encoder says with holes and without: 1 means that the holes change nothing."
    numbers = tuple((f"Encoder {k}", f"{value:.2f}", meaning) for k, value in enumerate(near, 1))
    return Scene(said, numbers, (Exhibit("mask_said", "What the encoders say", caption, table, figure),))


def snap(found: Origin, card: Card, whole: Look, holed: Look, dark: bool) -> Scene:
    from llmrec.view import quantizing as drawing

    shown = []
    for k, book in enumerate(found.table.items.books[: len(holed.codes)]):
        words = found.quantizer.books[k]
        names = [str(book.spell(c)) for c in range(len(words))]
        carried = np.bincount(found.table.items.codes[:, k], minlength=len(words))[: len(words)]
        table = drawing.snap_table(words, names, holed.far[k], carried)
        first, second = table["distance"].iloc[0], table["distance"].iloc[min(1, len(table) - 1)]
        tone = found.levels.tone(book, int(holed.codes[k]))
        figure = exhibits.dressed(drawing.snap(table, holed.said[k], words, tone, dark), 300)
        kept = "as without holes" if holed.codes[k] == whole.codes[k] else f"without holes it is {names[whole.codes[k]]}"
        caption = f"Nearest is {table['codeword'].iloc[0]} at distance {first:.2f}, the next at {second:.2f}; {kept}."
        shown.append(Exhibit(f"mask_snap_{k + 1}", f"Book {k + 1}", caption, table, figure))
    same = int((whole.codes == holed.codes).sum())
    said = (
        f"The cross is what an encoder says, the line leads to the nearest codeword. {same} of {len(holed.codes)} codes are those of the "
        "whole vector. The maps are flat (PCA of the codewords) and the distances are not: a point may look nearer than it is."
    )
    return Scene(said, (), tuple(shown), beside=True, names=_both(found, card, whole, holed))


def back(found: Origin, card: Card, whole: Look, holed: Look, dark: bool) -> Scene:
    from llmrec.view import quantizing as drawing

    table = drawing.back_table(holed, whole)
    q = found.quantizer
    original, of_whole, of_holed = (look * q.scale + q.mean for look in (whole.row, whole.told, holed.told))
    a, b = cosine(original, of_whole), cosine(original, of_holed)
    said = (
        f"The decoder sees the mean of the codewords and tells the whole vector, hidden numbers too. Cosine to the original: {a:.2f} from "
        f"the codes of the whole vector, {b:.2f} from those of the vector with holes."
    )
    gap = cosine(whole.row[holed.hidden], holed.told[holed.hidden])
    numbers = [
        ("From the whole", f"{a:.2f}", "Cosine between the original vector and what its own codes decode to."),
        ("From what was seen", f"{b:.2f}", "The same for the codes that the vector with holes got."),
    ]
    if holed.hidden.any():
        numbers.append(("On the hidden ones", f"{gap:.2f}", "Cosine on the hidden numbers alone, less the mean: what the decoder guessed."))
    caption = "Grey bars are the original; dots and crosses are what comes back from the codes."
    figure = exhibits.dressed(drawing.back(table, dark), 320)
    exhibit = Exhibit("mask_back", "What comes back", caption, table, figure)
    return Scene(said, tuple(numbers), (exhibit,), names=_both(found, card, whole, holed))


def _both(found: Origin, card: Card, whole: Look, holed: Look) -> tuple[tuple[str, Card], ...]:
    """The name by the whole vector and the name by what was seen."""
    return ("whole vector", _named(found, card, whole)), ("with holes", _named(found, card, holed))


def _named(found: Origin, card: Card, look: Look) -> Card:
    names = Names(look.codes[None], found.table.items.books[: len(look.codes)])
    return dataclasses.replace(card, pieces=names.spell(0), tones=found.levels.of(names, 0))


def claim(found: Origin, rivals: quantizing.Rivals, item: int, share: float, draw: int, dark: bool) -> Scene:
    from llmrec.view import steadiness

    all_four = {quantizing.OWN: found.quantizer, **dict(zip(rivals.names, rivals.quantizers, strict=True))}
    rng = np.random.default_rng([draw, item, quantizing.DRAWS])
    one = steadiness.curve(all_four, found.quantizer.mean, found.vectors.items[[item]], (share,), quantizing.DRAWS, rng)
    near = min(quantizing.SHARES, key=lambda s: abs(s - share))
    at = rivals.curve[np.isclose(rivals.curve["hidden"], near)]
    codes, whole = ({str(q): float(v) for q, v in zip(at["quantizer"], at[what], strict=True)} for what in ("codes kept", "names kept"))
    best = max(codes, key=codes.__getitem__)
    others = ", ".join(f"{name} {codes[name]:.0%}" for name in rivals.names)
    said = (
        f"With {near:.0%} hidden the masked quantizer keeps {codes[quantizing.OWN]:.0%} of its codes and "
        f"{whole[quantizing.OWN]:.0%} of its whole names; {others}. "
        + ("Its codes are the steadiest of the four, as its paper says." if best == quantizing.OWN else f"Here {best} is steadier.")
    )
    numbers = tuple(
        (name, f"{kept:.0%}", f"Of this item's codes, over {quantizing.DRAWS} draws of the mask, the diamonds in the figure.")
        for name, kept in zip(one["quantizer"], one["codes kept"], strict=True)
    )
    caption = (
        f"Lines: {found.sampled} items, {quantizing.DRAWS} masks each. Diamonds: this item alone. "
        f"All four have the same number of books and codes and are shown the same masks; the masked one learned with "
        f"{found.settings.mask:.0%} hidden."
    )
    table = pd.concat([rivals.curve.assign(whose="sample"), one.assign(whose="this item")], ignore_index=True)
    figure = exhibits.dressed(steadiness.steadiness(rivals.curve, one, share, dark), 380)
    return Scene(said, numbers, (Exhibit("mask_claim", "Codes that stay the same under masks", caption, table, figure),))


def sizes(
    visited: list[quantizing.Refit], fitted: quantizing.Refit | None, chosen: tuple[int, int], pending: Pending | None, dark: bool
) -> Scene:
    from llmrec.view import steadiness

    columns = {"cosine": "what comes back", "shared": "share a name"}
    table = pd.DataFrame([dataclasses.asdict(fit) for fit in visited], columns=[f.name for f in dataclasses.fields(quantizing.Refit)])
    table = table.assign(shared=table["shared"] / table["items"].clip(lower=1)).rename(columns=columns)
    captions = {
        "what comes back": "Mean cosine between an item's vector and what its codes decode to: 1 would be nothing lost.",
        "share a name": "Share of the items whose whole name another item has too; a trie cannot tell them apart.",
    }
    shown = tuple(
        Exhibit(
            f"mask_size_{place}",
            what.capitalize(),
            caption,
            table,
            exhibits.dressed(steadiness.sizes(table, what, chosen, dark, share=what == "share a name"), 320),
        )
        for place, (what, caption) in enumerate(captions.items())
        if len(table)
    )
    if fitted is None:
        return Scene("", (), shown, beside=True, pending=pending)
    tokens, names = fitted.books * fitted.codes, fitted.codes**fitted.books
    said = (
        f"{fitted.books} books of {fitted.codes} codes are {tokens:,} new Tokens for {names:,} possible names. After "
        f"{quantizing.STEPS} steps of learning (TokenRec takes 1,500) {fitted.shared:,} of {fitted.items:,} items share their name with "
        "another." + ("" if len(visited) > 1 else " Move a slider to see another size beside it.")
    )
    numbers = (
        ("What comes back", f"{fitted.cosine:.2f}", "Mean cosine between a vector and what its codes decode to."),
        ("Share a name", f"{fitted.shared / max(1, fitted.items):.0%}", "Items whose whole name another item has too."),
        ("Dead codes", f"{fitted.dead} of {tokens}", "Codes that no item carries: rows of the vocabulary that learn nothing."),
        ("Fitted in", f"{fitted.seconds:.0f} s", "How long this quick fit took, once; a size that was visited comes back at once."),
    )
    return Scene(said, numbers, shown, beside=True)
