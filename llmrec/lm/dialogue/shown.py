"""A dialogue as text for people: titles in the place of names.

Where it stands: behind `llmrec dialogues`. What it does not know: row numbers.
"""

from __future__ import annotations

from llmrec.contracts import Catalog, IdTable
from llmrec.lm.dialogue.language import Language
from llmrec.lm.dialogue.script import SHOWN, Dialogue
from llmrec.recommend.chat.values import MARK, Exchange

NEWEST = 3  # items of the history that are told by title


def shown(dialogue: Dialogue, language: Language, table: IdTable | None = None) -> str:
    """Who talks, and every turn with what was understood of it. table: names, which then stand where the model reads them."""
    who = "a person" if dialogue.user < 0 else f"user {language.catalog.user_keys[dialogue.user]}"
    newest = "; ".join(language.titles[i] for i in dialogue.history[-NEWEST:])
    n = min(SHOWN, len(dialogue.history))
    lines = [f"{who}, {n} items shown{f', the newest {newest}' if n else ''}"]
    for turn in dialogue.turns:
        lines += [f"  User: {noted(turn, language, table)}", f"  Assistant: {told(turn, language, table)}", f"    {meant(turn, language)}"]
    return "\n".join(lines)


def noted(turn: Exchange, language: Language, table: IdTable | None = None) -> str:
    """A message with the note behind each mention."""
    out, at = "", 0
    for mention in sorted(turn.mentions, key=lambda m: m.start):
        end = mention.start + len(mention.text)
        left, right = language.note(mention.item)
        if mention.item is not None:
            right = right.removeprefix(": ") if table is None else named(mention.item, table) + right
        out, at = out + turn.asked[at:end] + left + right, end
    return out + turn.asked[at:]


def told(turn: Exchange, language: Language, table: IdTable | None = None) -> str:
    """An answer with titles behind its marks, and names behind them."""
    first, *rest = turn.said.split(MARK)
    titles = [language.titles[i] + ("" if table is None else f" {named(i, table)}") for i in turn.items]
    return first + "".join(f"{MARK} {title}{piece}" for title, piece in zip(titles, rest, strict=True))


def named(item: int, table: IdTable) -> str:
    """An item's name as it is spelled."""
    return "".join(map(str, table.items.spell(item)))


def meant(turn: Exchange, language: Language) -> str:
    """What was understood, in a line."""
    u = turn.understood
    parts = [u.skill, *(f"+{w}" for w in u.wanted), *(f"-{w}" for w in u.unwanted)]
    parts += [f"like {language.listed(u.like)}"] if u.like else []
    parts += [f"among {language.listed(u.among)}"] if u.among else []
    return f"({' '.join(parts)})"


def plain(dialogue: Dialogue, catalog: Catalog) -> dict[str, object]:
    """A dialogue as JSON: users and items by their keys."""
    keys = catalog.item_keys
    return {
        "user": None if dialogue.user < 0 else catalog.user_keys[dialogue.user],
        "history": [keys[i] for i in dialogue.history[-SHOWN:]],
        "turns": [
            {
                "skill": t.understood.skill,
                "asked": t.asked,
                "mentions": [{"text": m.text, "item": None if m.item is None else keys[m.item], "start": m.start} for m in t.mentions],
                "wanted": list(t.understood.wanted),
                "unwanted": list(t.understood.unwanted),
                "among": None if t.understood.among is None else [keys[i] for i in t.understood.among],
                "like": None if t.understood.like is None else [keys[i] for i in t.understood.like],
                "said": t.said,
                "items": [keys[i] for i in t.items],
            }
            for t in dialogue.turns
        ],
    }
