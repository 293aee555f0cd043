"""Titles as a person reads them: text cleaned, the year apart, the article in front.

Where it stands: used by every reader of `llmrec.data`. What it does not know: files and catalogues.

The choice, for GroupLens and RecBole files alike: `Godfather, The (1972)` becomes the title `The Godfather` and the year 1972; a second
title in brackets stays and is treated the same way (`Blue Angel, The (Blaue Engel, Der)` -> `The Blue Angel (Der Blaue Engel)`).
"""

from __future__ import annotations

import re
import unicodedata

ARTICLES = "The A An L' Le La Les Un Une El Los Las Il Lo Gli Der Die Das Den Det O".split()
_ARTICLE = re.compile(rf"^(?P<rest>.+), (?P<article>{'|'.join(ARTICLES)})$")
_BRACKET = re.compile(r"^(?P<first>.*\S)\s+\((?P<second>[^()]+)\)$")
_YEAR = re.compile(r"\s*\((?P<year>\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
_MEDIUM = re.compile(r"\s*\((?:V|TV|VG)\)\s*$")
_BIDI = {chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def clean(text: str) -> str:
    """Text without control characters and outer blanks; runs of blanks become one. Markup stays what it is: text."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept = (" " if c in "\t\n\r" else c for c in text if c in "\t\n\r" or (unicodedata.category(c) != "Cc" and c not in _BIDI))
    return " ".join("".join(kept).split())


def printable(text: str) -> str:
    """Text for one line of a terminal, as it stands but for a blank in the place of what moves the cursor, colours or turns the line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def has_control(text: str) -> bool:
    """Whether `clean` would take a control character out of this text."""
    return any(unicodedata.category(c) == "Cc" or c in _BIDI for c in text)


def read_title(raw: str) -> tuple[str, int | None]:
    """(title, year) of one catalogue title; the year is None where the title does not end with one."""
    text = _MEDIUM.sub("", clean(raw))
    found = _YEAR.search(text)
    if found and found.start() > 0:
        return article_first(text[: found.start()]), int(found["year"])
    return article_first(text), None


def article_first(title: str) -> str:
    """`Godfather, The` -> `The Godfather`; `Enfer, L'` -> `L'Enfer`; also inside a closing bracket."""
    bracket = _BRACKET.match(title)
    if bracket:
        return f"{article_first(bracket['first'])} ({article_first(bracket['second'])})"
    found = _ARTICLE.match(title)
    if not found:
        return title
    glue = "" if found["article"].endswith("'") else " "
    return f"{found['article']}{glue}{found['rest']}"
