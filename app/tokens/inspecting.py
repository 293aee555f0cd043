"""One user, item or Token: who shares which pieces and beginnings, who is near, and whether the two agree.

Where it stands: under `names`. What it does not know: Streamlit, maps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.seam.names import Inspection, Neighbour, Shared, Telling
from app.seam.values import Card, Side, Trouble
from app.tokens.reading import Reading
from app.world import World
from llmrec.contracts import Piece, Token
from llmrec.ids.health import outstanding
from llmrec.view.neighbours import unit
from llmrec.view.tree import Paths

SHOWN, NEAREST = 60, 12
Rows = NDArray[np.int64]


def inspect(world: World, reading: Reading, node: str) -> Inspection:
    """Everything about one node."""
    side, _, key = node.partition(":")
    if world.table is None or world.levels is None:
        raise Trouble("There are no names without a trained run.")
    if side == "token":
        return _token(world, reading, key)
    if side not in ("item", "user"):
        raise Trouble(f"{node!r:.100} is no item, user or Token: search for a title, a key or a Token.")
    index = world.index(side, key)  # type: ignore[arg-type]
    if index is None:
        raise Trouble(f"There is no {side} with the key {key!r:.100} here.")
    return _point(world, reading, side, index)  # type: ignore[arg-type]


def popularity(world: World) -> tuple[Rows, Rows]:
    """How often each item was taken, and how much each user took, in all interactions."""
    taken = world.dataset.interactions
    return np.bincount(taken.item, minlength=taken.n_items), np.bincount(taken.user, minlength=taken.n_users)


def alike(mine: Paths, row: int, other: Paths) -> Rows:
    """How many pieces the names of the other side share with one name, from the left: (n,)."""
    depth = min(mine.ids.shape[1], other.ids.shape[1])
    same = (other.ids[:, :depth] == mine.ids[row, :depth]) & (mine.ids[row, :depth] >= 0)
    return np.asarray(np.cumprod(same, axis=1).sum(axis=1), dtype=np.int64)


def cosines(world: World, side: Side, row: NDArray[np.float32], among: Side) -> NDArray[np.float64] | None:
    """Of one vector (1, d) with everybody of a side, NaN for who has none; None across two spaces."""
    vectors = world.vectors
    if vectors is None or (side != among and not vectors.joint):
        return None
    rows = vectors.items if among == "item" else vectors.users
    if rows.shape[1] != row.shape[1] or not row.any():
        return None
    found: NDArray[np.float64] = (unit(rows) @ unit(row)[0]).astype(np.float64)
    found[~rows.any(axis=1)] = np.nan
    return found


def nearest(world: World, cosine: NDArray[np.float64] | None, among: Side, shared: Rows, of: int, but: int = -1) -> tuple[Neighbour, ...]:
    """The nearest of one side with what their names share. but: whom to leave out."""
    if cosine is None:
        return ()
    told = np.where(np.isnan(cosine), -np.inf, cosine)
    if but >= 0:
        told[but] = -np.inf
    order = np.argsort(-told, kind="stable")[:NEAREST]
    return tuple(Neighbour(world.card(among, int(i)), float(told[i]), int(shared[i]), of) for i in order if np.isfinite(told[i]))


def _point(world: World, reading: Reading, side: Literal["item", "user"], index: int) -> Inspection:
    card = world.card(side, index)
    facts = _facts(world, side, index)
    row = None if world.vectors is None else (world.vectors.items if side == "item" else world.vectors.users)[index : index + 1]
    cosine = None if row is None else cosines(world, side, row, side)
    if not card.pieces:
        near = nearest(world, cosine, side, np.zeros(0 if cosine is None else len(cosine), dtype=np.int64), 0, index)
        return Inspection(
            card, facts, (), (), near, _mean(cosine, None, index), (), "This scheme names items only: users have no names here."
        )
    paths = reading.side(side)
    numbers = [int(n) for n in paths.ids[index] if n >= 0]
    pieces: tuple[Piece, ...] = tuple(paths.pieces[n] for n in numbers)
    tones = tuple(paths.tones[n] for n in numbers)
    note = ""
    if reading.subwords and any(not isinstance(p, Token) for p in card.pieces):
        card = replace(card, pieces=pieces, tones=tones)
        note = (
            "This name is text: these are the subwords that the model reads. They carry meaning from elsewhere and were not made for this."
        )
    shared = tuple(_having(world, reading, piece, tone, side, index, cosine) for piece, tone in zip(pieces, tones, strict=True))
    lengths = range(2, len(pieces) + 1) if len(pieces) > 1 else range(1, 2)
    beginnings = tuple(_beginning(world, reading, pieces[:n], tones[:n], side, index, cosine) for n in lengths)
    same = alike(paths, index, paths)
    near = nearest(world, cosine, side, same, len(pieces), index)
    return Inspection(card, facts, shared, beginnings, near, _mean(cosine, None, index), (), note)


def _facts(world: World, side: Side, index: int) -> tuple[tuple[str, str, str], ...]:
    items, users = popularity(world)
    counts = items if side == "item" else users
    count, rank = int(counts[index]), int((counts > counts[index]).sum()) + 1
    if side == "item":
        return (
            ("Taken", f"{count:,}", "How many interactions it has in the whole data set, test included."),
            ("Popularity", f"{rank:,} of {len(counts):,}", "Its place when all items are sorted by how often they were taken."),
        )
    return (("Took", f"{count:,}", "How many interactions this user has in the whole data set, test included."),)


def _token(world: World, reading: Reading, key: str) -> Inspection:
    assert world.levels is not None
    items, users = reading.carriers(key)
    if not len(items) + len(users):
        raise Trouble(f"No name of this run has the Token {key!r:.100}: Health lists those that nobody bears.")
    tone = world.levels.token(key)
    catalog = world.dataset.catalog
    counts = popularity(world)[0]
    shared = _shared(world, (Token(key),), (tone,), "piece", items, users, None, ("item", -1))
    members = [int(i) for i in items]
    kinds = (
        ("Genres", outstanding.genres(catalog)),
        ("Words in titles", outstanding.words(catalog)),
        ("Decades", outstanding.decades(catalog)),
    )
    telling = []
    for kind, tags in kinds:
        found = outstanding.outstanding(tags, members)
        if found:
            telling.append((kind, tuple(Telling(one.tag, one.count, one.everywhere, one.lift) for one in found)))
    share = float(counts[members].sum() / max(1, int(counts.sum())))
    facts = (
        ("Items", f"{len(items):,}", "Items that carry this Token anywhere in their name."),
        ("Users", f"{len(users):,}", "Users that carry it."),
        (
            "Of all taken",
            f"{share:.1%}",
            "Share of all interactions that fall on its items; of all items they are " + _part(len(items), world),
        ),
    )
    card = Card("token", 0, key, "Everyone who carries this Token", pieces=(Token(key),), tones=(tone,))
    return Inspection(card, facts, (shared,), telling=tuple(telling))


def _part(n: int, world: World) -> str:
    return f"{n / max(1, len(world.dataset.catalog.items)):.1%}."


def _having(
    world: World, reading: Reading, piece: Piece, tone: int | None, side: Side, index: int, cosine: NDArray[np.float64] | None
) -> Shared:
    items, users = reading.carriers(str(piece))
    return _shared(world, (piece,), (tone,), "piece", items, users, cosine, (side, index))


def _beginning(
    world: World,
    reading: Reading,
    pieces: tuple[Piece, ...],
    tones: tuple[int | None, ...],
    side: Side,
    index: int,
    cosine: NDArray[np.float64] | None,
) -> Shared:
    mine = reading.side(side)
    whole = len(pieces) == int((mine.ids[index] >= 0).sum())
    found: dict[str, Rows] = {"item": np.zeros(0, dtype=np.int64), "user": np.zeros(0, dtype=np.int64)}
    for among, other in (("item", reading.items), ("user", reading.users)):
        if other is None:
            continue
        rows = alike(mine, index, other) >= len(pieces)
        if whole:
            rows &= (other.ids >= 0).sum(axis=1) == len(pieces)
        found[among] = np.flatnonzero(rows)
    return _shared(world, pieces, tones, "name" if whole else "beginning", found["item"], found["user"], cosine, (side, index))


def _shared(
    world: World,
    pieces: tuple[Piece, ...],
    tones: tuple[int | None, ...],
    kind: Literal["piece", "beginning", "name"],
    items: Rows,
    users: Rows,
    cosine: NDArray[np.float64] | None,
    who: tuple[Side, int],
) -> Shared:
    """Who shares something, without the one that is looked at."""
    side, index = who
    items = items[items != index] if side == "item" else items
    users = users[users != index] if side == "user" else users
    by_items, by_users = popularity(world)
    most = [rows[np.argsort(-counts[rows], kind="stable")][:SHOWN] for rows, counts in ((items, by_items), (users, by_users))]
    return Shared(
        pieces,
        tones,
        kind,
        len(items),
        len(users),
        tuple(world.card("item", int(i)) for i in most[0]),
        tuple(world.card("user", int(u)) for u in most[1]),
        _mean(cosine, items if side == "item" else users, index),
    )


def _mean(cosine: NDArray[np.float64] | None, rows: Rows | None, but: int) -> float | None:
    """Mean over some rows, or over all but one; None where no vector tells."""
    if cosine is None:
        return None
    chosen = np.delete(cosine, but) if rows is None else cosine[rows]
    known = chosen[~np.isnan(chosen)]
    return float(known.mean()) if len(known) else None
