"""How healthy the names of a run are, as numbers with their meaning, sentences and figures.

Where it stands: under `names`, over `llmrec.ids.health`. What it does not know: Streamlit, the map.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from app.exhibits import dressed
from app.seam.names import Finding, Health, Shared
from app.seam.values import Exhibit, Trouble
from app.tokens.reading import Reading
from app.world import World
from llmrec.contracts import Book, IdTable, Token
from llmrec.ids.health import collapse
from llmrec.ids.health.collisions import Collisions, collisions
from llmrec.ids.health.grouping import spelled_alike
from llmrec.ids.health.report import Health as Counted
from llmrec.ids.health.report import HealthReport, digits, health, report
from llmrec.view import codes
from llmrec.view.levels import Levels

GROUPS, BEARERS, FINDINGS = 40, 12, 6
Number = tuple[str, str, str]


def examine(world: World, reading: Reading) -> Health:
    """Everything that can be counted at once."""
    table = world.table
    assert table is not None
    counted, shared = health(table), collisions(table, GROUPS, BEARERS)
    notes = ["Books of digits have no dead codes: a number that nobody bears has no row to learn."] if _has_digits(table) else []
    if reading.subwords:
        notes.append("Some names are text: their pieces are the subwords that the model reads, and have no book.")
    return Health(
        _numbers(table, counted, reading),
        tuple(_findings(table, counted, shared)),
        tuple((_key(place, book), _called(place, book, table)) for place, book in codes.places(table) if book.texts is None),
        _levels(counted),
        _groups(world, shared),
        tuple(notes),
    )


def semantics(world: World) -> tuple[Number, ...]:
    """What names say of behaviour, genre and year: memorization, diversity, purity. Sampled pairs, so kept by the caller."""
    assert world.table is not None
    return _meaning(report(world.table, world.split.train, world.dataset.catalog))


def usage(world: World, key: str, dark: bool) -> Exhibit:
    """How often each code of one book is used."""
    table = world.table
    assert table is not None
    known = {_key(place, book): (place, book) for place, book in codes.places(table)}
    if key not in known:
        raise Trouble(f"No book of these names is called {key!r:.80}: choose one of {', '.join(known) or 'none'}.")
    place, book = known[key]
    found = codes.use_table(table, place, book)
    figure = dressed(codes.use(found, table, book, dark), 330)
    figure.update_layout(margin={"l": 8, "r": 8, "t": 26, "b": 8})
    used, most = int((found["bearers"] > 0).sum()), found.iloc[0]
    dead = "" if digits(book) or used == len(found) else f" {len(found) - used:,} are dead: nobody bears them."
    cut = f" The first {codes.DRAWN:,} are drawn, the table has all." if len(found) > codes.DRAWN else ""
    said = f"{used:,} of {len(found):,} codes are used; the commonest, {most['piece']}, is borne by {int(most['bearers']):,}.{dead}{cut}"
    return Exhibit("codes", f"How often each code is used: {_called(place, book, table)}", said, found, figure)


def _key(place: int, book: Book) -> str:
    return f"{place + 1}-{book.prefix or 'number'}"


def _called(place: int, book: Book, table: IdTable) -> str:
    sides = [side for side, names in (("items", table.items), ("users", table.users)) if names is not None and book in names.books]
    whose = f", {sides[0]}" if len(sides) == 1 and table.users is not None else ""
    return f"piece {place + 1} ({book.spell(0)} to {book.spell(book.size - 1)}{whose})"


def _has_digits(table: IdTable) -> bool:
    return any(digits(book) for names in (table.items, table.users) if names is not None for book in names.books)


def _numbers(table: IdTable, counted: Counted, reading: Reading) -> tuple[Number, ...]:
    lengths = (reading.items.ids >= 0).sum(axis=1)
    unit = "subwords" if reading.subwords else "pieces"
    tokens = [level for level in counted.levels if level.entropy or level.dead or level.used]
    dead, rows = sum(level.dead for level in tokens), counted.new_rows
    shared = counted.n_items - counted.distinct_items
    users = (
        ("User names", f"{counted.distinct_users:,}", f"Different names that {counted.n_users:,} users bear.")
        if counted.n_users
        else ("User names", "none", "This scheme names items only; people are read by what they took.")
    )
    return (
        ("Item names", f"{counted.distinct_items:,}", f"Different names that {counted.n_items:,} items bear; {shared:,} fewer than items."),
        users,
        (
            "Pieces per item",
            f"{lengths.mean():.1f}",
            f"How many {unit} the model writes to name an item: {lengths.min()} to {lengths.max()}.",
        ),
        ("New rows", f"{rows:,}", "Tokens that the vocabulary must learn from nothing."),
        ("Dead codes", f"{dead:,}", "Codes of the books that nobody bears: rows that can learn nothing."),
        ("Collisions", f"{counted.collisions:,}", "Users and items that share their whole name with somebody else."),
    )


def _levels(counted: Counted) -> pd.DataFrame:
    columns: dict[str, Callable[..., object]] = {
        "piece": lambda level: level.place + 1,
        "book": lambda level: level.book or "digits",
        "codes": lambda level: level.size,
        "used": lambda level: level.used,
        "dead": lambda level: level.dead,
        "commonest borne by": lambda level: level.largest,
        "entropy (bits)": lambda level: round(level.entropy, 3),
        "perplexity": lambda level: round(level.perplexity, 1),
    }
    return pd.DataFrame([{name: read(level) for name, read in columns.items()} for level in counted.levels])


def _findings(table: IdTable, counted: Counted, shared: Collisions) -> list[Finding]:
    found = []
    fallen = collapse.collapsed(table)
    for one in fallen[:FINDINGS]:
        said = f"{one.piece} holds {one.share:.0%} of piece {one.place + 1}, {one.times:.0f} times its share: this level has collapsed."
        found.append(Finding(said, True, f"token:{one.piece}"))
    if not fallen and counted.new_rows:
        found.append(Finding("No code holds far more than its share: no level has collapsed."))
    for side, distinct, n in (("items", counted.distinct_items, counted.n_items), ("users", counted.distinct_users, counted.n_users)):
        if distinct < n:
            said = (
                f"{n:,} {side} bear {distinct:,} names, so some share all their pieces: a head that spells names cannot tell those apart."
            )
            found.append(Finding(said, side == "items"))
    if not shared.names:
        found.append(Finding("No two share a whole name: every name means one."))
    for level in counted.levels:
        if level.dead:
            said = f"{level.dead:,} of {level.size:,} codes of the book {level.book!r} are dead: their rows can learn nothing."
            found.append(Finding(said, level.dead > level.size / 2))
    return found


def _groups(world: World, found: Collisions) -> tuple[Shared, ...]:
    table = world.table
    assert table is not None
    levels, spelled = Levels(table), spelled_alike(table.items)
    out = []
    for one in found.groups:
        n_items = int((spelled == spelled[one.items[0]]).all(axis=1).sum()) if one.items else 0
        items, users = tuple(world.card("item", i) for i in one.items), tuple(world.card("user", u) for u in one.users)
        tones = tuple(levels.token(str(piece)) if isinstance(piece, Token) else None for piece in one.name)
        out.append(Shared(one.name, tones, "name", n_items, one.size - n_items, items, users))
    return tuple(out)


def _meaning(found: HealthReport) -> tuple[Number, ...]:
    out: list[Number] = []
    if found.memorization is not None:
        m = found.memorization
        value = "none" if m.spearman is None else f"{m.spearman:.3f}"
        said = (
            f"Alike in behaviour, alike in name? Rank correlation over {m.n_pairs:,} pairs of items: 1 always, 0 never. By the pieces that "
            "two names share; none where no two names share any."
        )
        out.append(("Memorization", value, said))
    if found.diversity is not None:
        said = f"How different two names are, over {found.diversity.n_pairs:,} random pairs: 0 the same pieces, .462 none in common."
        out.append(("Diversity", f"{found.diversity.symmetric_kl:.3f}", said))
    pure = found.purity
    for kind, tag in (("Genre", None if pure is None else pure.genre), ("Decade", None if pure is None else pure.decade)):
        if tag is not None and not tag.tokens:
            said = f"Nothing can be said: every item has a first piece of its own, so each is of one {kind.lower()}."
            out.append((f"{kind} purity", "none", said))
        elif tag is not None:
            said = f"Share of items of the commonest {kind.lower()} of their first piece: {tag.lift:.2f} times chance ({tag.chance:.0%})."
            out.append((f"{kind} purity", f"{tag.purity:.0%}", said))
    return tuple(out)
