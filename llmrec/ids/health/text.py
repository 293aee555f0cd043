"""A table's health as a person reads it.

Where it stands: under the command line; the page draws its own. What it does not know: how anything was measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmrec.contracts import Catalog
from llmrec.data.titles import printable
from llmrec.ids.health.collisions import Collisions
from llmrec.ids.health.purity import Purity, Tag
from llmrec.ids.health.report import Health, HealthReport, Spread
from llmrec.ids.health.semantics import Diversity, Memorization
from llmrec.ids.lookup import written

DEAD, TOKENS = 12, 10  # how many are named


def text(report: HealthReport, catalog: Catalog | None = None) -> str:
    """The report in lines; with a catalogue, the bearers of a shared name by title and key instead of by number."""
    parts = [
        f"Health of {printable(report.scheme)}",
        counts(report.health),
        shared(report.health.shared, catalog),
        *([] if report.memorization is None else [memorization(report.memorization)]),
        *([] if report.diversity is None else [diversity(report.diversity)]),
        *([] if report.purity is None else [purity(report.purity)]),
        "\n".join(f"note: {printable(note)}" for note in report.notes),
    ]
    return "\n\n".join(part for part in parts if part)


def counts(health: Health) -> str:
    """Sizes and levels."""
    lines = [
        f"{health.n_items:,} items bear {health.distinct_items:,} different names, {_spread(health.pieces.items, health.pieces.unit)}",
        "users are not named"
        if health.pieces.users is None
        else f"{health.n_users:,} users bear {health.distinct_users:,} different names, {_spread(health.pieces.users, health.pieces.unit)}",
        f"new rows for the vocabulary: {health.new_rows:,}",
        "",
        f"{'place':>5}  {'book':<8}  {'size':>9}  {'used':>9}  {'dead':>9}  {'largest':>9}  {'entropy':>8}  {'perplexity':>11}",
    ]
    for level in health.levels:
        lines.append(
            f"{level.place:>5}  {_short(level.book) or '(none)':<8}  {level.size:>9,}  {level.used:>9,}  {level.dead:>9,}  "
            f"{level.largest:>9,}  {level.entropy:>8.3f}  {level.perplexity:>11,.1f}"
        )
    for level in health.levels:
        if level.dead:
            more = f" and {level.dead - DEAD:,} more" if level.dead > DEAD else ""
            lines.append(f"dead at place {level.place}, book {level.book!r}: {', '.join(map(str, level.dead_codes[:DEAD]))}{more}")
    return "\n".join(lines)


def shared(found: Collisions, catalog: Catalog | None = None) -> str:
    """Who shares a whole name with whom."""
    if not found.names:
        return "no two share a whole name"
    lines = [f"{found.bearers:,} users and items share {found.names:,} whole names" + _capped(len(found.groups), found.names)]
    for group in found.groups:
        items = [str(i) if catalog is None else printable(f"{catalog.titles[i]} ({catalog.item_keys[i]})") for i in group.items]
        users = [str(u) if catalog is None else printable(catalog.user_keys[u]) for u in group.users]
        named = "; ".join(_listed(kind, who) for kind, who in (("items", items), ("users", users)) if who)
        rest = group.size - len(items) - len(users)
        lines.append(f"  {_short(written(group.name), 40)}  {group.size:,}: {named}" + (f" and {rest:,} more" if rest else ""))
    return "\n".join(lines)


def memorization(m: Memorization) -> str:
    """Alike in behaviour, alike in name?"""
    return (
        f"memorization, Id cosine by {m.by} against behavioural cosine: pearson {_number(m.pearson)}, spearman {_number(m.spearman)} "
        f"(higher is better), mse {m.mse:.4f} (lower is better); {m.n_pairs:,} pairs, {m.n_taken:,} of them with a user in common"
    )


def diversity(d: Diversity) -> str:
    """Still told apart?"""
    return f"diversity, symmetric KL by {d.by}: {d.symmetric_kl:.4f} nats over {d.n_pairs:,} pairs (higher is more diverse)"


def purity(p: Purity) -> str:
    """Genre, decade and, where asked for, year of the Tokens of one level."""
    lines = [f"Tokens at place {p.place}, book {p.book!r}"]
    for kind, tag in (("genre", p.genre), ("decade", p.decade), ("year", p.year)):
        if tag is not None:
            lines += [
                f"  {kind}: purity {tag.purity:.3f}, by chance {tag.chance:.3f}, lift {tag.lift:.2f} "
                f"({tag.n_known:,} items with a known {kind})",
                *_tokens(tag),
            ]
    return "\n".join([*lines, *(f"  note: {printable(note)}" for note in p.notes)])


def _tokens(tag: Tag) -> list[str]:
    lines = [f"    {_short(t.piece, 16):<16}  {t.known:>7,}  {t.share:>6.1%}  {printable(t.tag)}" for t in tag.tokens[:TOKENS]]
    return [*lines, *([f"    and {len(tag.tokens) - TOKENS:,} more"] if len(tag.tokens) > TOKENS else [])]


def _spread(spread: Spread, unit: str) -> str:
    if spread.least == spread.most:
        return f"{spread.most} {unit} each"
    return f"{spread.least} to {spread.most} {unit} each, {spread.mean:.2f} on average"


def _listed(kind: str, who: Sequence[str]) -> str:
    return f"{kind} {', '.join(who)}"


def _capped(named: int, of: int) -> str:
    return "" if named == of else f", of which the {named:,} with most bearers:"


def _number(value: float | None) -> str:
    return "undefined (one side is the same for every pair)" if value is None else f"{value:.4f}"


def _short(text: str, most: int = 8) -> str:
    clean = printable(text)
    return clean if len(clean) <= most else clean[: most - 3] + "..."
