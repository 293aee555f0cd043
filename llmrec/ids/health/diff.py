"""Two tables over the same items: how far they agree, and what moved.

Where it stands: beside the schemes; the command line and the page show it. What it does not know: why tables differ, titles.
Everything is counted on the contingency table of two columns of codes, never on pairs of items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from llmrec.contracts import IdTable, Ints, Names, Side
from llmrec.data.titles import printable
from llmrec.ids.health.grouping import Array, cells, labels, spelled_alike


@dataclass(frozen=True)
class Agreement:
    """How alike two ways of grouping are. of: "piece", the codes at one place each, or "prefix", everything up to and with that place.

    nmi: normalised mutual information, 0 to 1, high for any two groupings into many small groups; ari: adjusted Rand index, 0 by chance,
    1 where the groups are the same. Both ignore how groups are numbered.
    """

    of: Literal["piece", "prefix"]
    place_a: int
    place_b: int
    nmi: float
    ari: float


@dataclass(frozen=True)
class Moved:
    """One user or item, and with whom it shares the beginning of its name. moved: 1 - |A and B| / |A or B| of its companions, 0 to 1;
    before, after: how many companions it has in A and in B; left, joined: the first few of those only A, or only B, gives it."""

    index: int
    moved: float
    before: int
    after: int
    left: tuple[int, ...]
    joined: tuple[int, ...]


@dataclass(frozen=True)
class SideDiff:
    """Items, or users. n: how many are compared; mean_moved: of all of them, by the first `depth` pieces; moved: those that moved most,
    farthest first, equal ones by more companions and then by number; notes: what limits the comparison."""

    side: Side
    n: int
    depth: int
    agreement: tuple[Agreement, ...]
    mean_moved: float
    moved: tuple[Moved, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diff:
    """Two tables compared. Users are None where one of the tables names none. Indices are those of table A."""

    scheme_a: str
    scheme_b: str
    items: SideDiff
    users: SideDiff | None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Keys:
    """What users and items are called, for two tables in different orders. Row i is user i or item i."""

    items: Sequence[str]
    users: Sequence[str] = ()


def diff(a: IdTable, b: IdTable, keys: tuple[Keys, Keys] | None = None, most: int = 20, depth: int = 1, named: int = 5) -> Diff:
    """Compare two tables by the row number of users and items, or by their `keys` (of A, of B), over what both of them have.

    most: how many of those that moved most come back; depth: how many leading pieces make companions; named: how many of the companions
    that each of them left and joined are told. Raises ValueError where the tables cannot be laid side by side.
    """
    if depth < 1 or most < 0 or named < 0:
        raise ValueError(f"depth is {depth}, most {most}, named {named}: depth must be 1 or more, the others 0 or more")
    of_items = None if keys is None else (keys[0].items, keys[1].items)
    of_users = None if keys is None else (keys[0].users, keys[1].users)
    notes: list[str] = []
    rows = _aligned("item", (len(a.items), len(b.items)), of_items, notes)
    items = _side("item", a.items, b.items, rows, (most, depth, named))
    users = None
    if a.users is None or b.users is None:
        bare = dict.fromkeys(table.scheme for table in (a, b) if table.users is None)
        notes += [f"users are not compared: {scheme} names items only" for scheme in bare]
    else:
        rows = _aligned("user", (len(a.users), len(b.users)), of_users, notes)
        users = _side("user", a.users, b.users, rows, (most, depth, named))
    return Diff(a.scheme, b.scheme, items, users, tuple(notes))


def text(found: Diff, titles: Sequence[str] | None = None) -> str:
    """A comparison as a person reads it; titles: what A's items are called, else their numbers."""
    parts = [printable(f"A is {found.scheme_a}, B is {found.scheme_b}")]
    for side in (found.items, found.users):
        if side is not None:
            parts.append(_side_text(side, titles if side.side == "item" else None))
    return "\n\n".join([*parts, *(f"note: {printable(note)}" for note in found.notes)])


def _aligned(side: Side, sizes: tuple[int, int], keys: tuple[Sequence[str], Sequence[str]] | None, notes: list[str]) -> tuple[Array, Array]:
    """Rows of A and of B that are the same user or item, in A's order."""
    n_a, n_b = sizes
    if keys is None:
        if n_a != n_b:
            raise ValueError(f"A names {n_a} {side}s and B {n_b}: compare tables of one data set, or give the keys of both")
        return np.arange(n_a), np.arange(n_a)
    for name, n, given in (("A", n_a, keys[0]), ("B", n_b, keys[1])):
        if len(given) != n or len(set(given)) != n:
            raise ValueError(
                f"{name} names {n} {side}s, but {len(set(given))} different keys of {len(given)} came with it: give one for each"
            )
    keys_a, keys_b = keys
    of_b = {key: row for row, key in enumerate(keys_b)}
    both = [(row, of_b[key]) for row, key in enumerate(keys_a) if key in of_b]
    if not both:
        raise ValueError(f"A and B have no {side} key in common: are they tables of one data set?")
    if len(both) < n_a or len(both) < n_b:
        notes.append(f"{len(both)} {side}s are in both tables; {n_a - len(both)} are in A alone, {n_b - len(both)} in B alone")
    pairs = np.asarray(both, dtype=np.int64)
    return pairs[:, 0], pairs[:, 1]


def _side(side: Side, a: Names, b: Names, rows: tuple[Array, Array], how: tuple[int, int, int]) -> SideDiff:
    most, depth, named = how
    codes_a, codes_b = spelled_alike(a)[rows[0]], spelled_alike(b)[rows[1]]
    label_a, n_groups_a = labels(codes_a[:, :depth])
    label_b, n_groups_b = labels(codes_b[:, :depth])
    n = len(label_a)
    notes = [
        f"no two {side}s share the beginning of their name in {name}" + (": whoever had companions in the other has moved" if n > 1 else "")
        for name, groups in (("A", n_groups_a), ("B", n_groups_b))
        if groups == n
    ]
    before, after = np.bincount(label_a)[label_a] - 1, np.bincount(label_b)[label_b] - 1
    both = cells(label_a, label_b, n_groups_b) - 1
    either = before + after - both
    moved = np.divide(either - both, either, out=np.zeros(n), where=either > 0)
    order = np.lexsort((np.arange(n), -either, -moved))[:most]
    listed = []
    for row in order[moved[order] > 0]:
        in_a, in_b = label_a == label_a[row], label_b == label_b[row]
        left, joined = (rows[0][np.flatnonzero(only)[:named]].tolist() for only in (in_a & ~in_b, in_b & ~in_a))
        count = (int(before[row]), int(after[row]))
        listed.append(Moved(int(rows[0][row]), float(moved[row]), *count, tuple(left), tuple(joined)))
    return SideDiff(side, n, depth, _agreements(codes_a, codes_b), float(moved.mean()) if n else 0.0, tuple(listed), tuple(notes))


def _agreements(a: Ints, b: Ints) -> tuple[Agreement, ...]:
    """Every place of A with every place of B, then the prefixes of equal length that are longer than one piece."""
    single_a, single_b = ([labels(codes[:, [place]])[0] for place in range(codes.shape[1])] for codes in (a, b))
    out = [Agreement("piece", i, j, *agreement(x, y)) for i, x in enumerate(single_a) for j, y in enumerate(single_b)]
    for place in range(1, min(a.shape[1], b.shape[1])):
        out.append(Agreement("prefix", place, place, *agreement(labels(a[:, : place + 1])[0], labels(b[:, : place + 1])[0])))
    return tuple(out)


def agreement(a: Array, b: Array) -> tuple[float, float]:
    """Normalised mutual information (over the mean of both entropies) and adjusted Rand index of two groupings, labels from 0: (n,) each.

    Equal to scikit-learn's, from the cells that are not empty: a million rows with as many groups take a second.
    """
    n = len(a)
    pairs = a * (int(b.max(initial=0)) + 1) + b
    counts = [np.unique(labels, return_counts=True)[1] for labels in (pairs, a, b)]
    joint, h_a, h_b = (float(-(c / n * np.log(c / n)).sum()) for c in counts)
    both, in_a, in_b = (int((c * (c - 1)).sum()) for c in counts)  # ordered pairs of rows
    everything = n * (n - 1)
    mutual = h_a + h_b - joint
    nmi = 1.0 if len(counts[1]) == len(counts[2]) == 1 else (0.0 if mutual < 1e-12 else 2 * mutual / (h_a + h_b))
    if in_a == in_b == both:
        return min(nmi, 1.0), 1.0
    expected = in_a * in_b / everything
    return min(nmi, 1.0), (both - expected) / ((in_a + in_b) / 2 - expected)


def _side_text(found: SideDiff, titles: Sequence[str] | None) -> str:
    def who(indices: Sequence[int]) -> str:
        return ", ".join(str(i) if titles is None else printable(titles[i]) for i in indices) or "nobody"

    lines = [f"{found.n:,} {found.side}s; by the first {found.depth} of their pieces they moved by {found.mean_moved:.3f} on average"]
    lines += [f"  {'A':>7}  {'B':>7}  {'NMI':>6}  {'ARI':>6}"]
    for a in found.agreement:
        of = ("to " if a.of == "prefix" else "") + "{}"
        lines.append(f"  {of.format(a.place_a):>7}  {of.format(a.place_b):>7}  {a.nmi:>6.3f}  {a.ari:>6.3f}")
    for m in found.moved:
        lines.append(f"  {who([m.index])} moved by {m.moved:.3f}: left {who(m.left)} ({m.before:,}), joined {who(m.joined)} ({m.after:,})")
    return "\n".join([*lines, *(f"  note: {note}" for note in found.notes)])
