"""The names' room of the fake backend: two Tokens a name, three coarse ones, one film and one user with the same name on purpose."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.seam.names import (
    Finding,
    Form,
    Found,
    Health,
    Inspection,
    Landed,
    Neighbour,
    Place,
    Predicted,
    Shape,
    Shared,
    Telling,
    Tones,
    Tree,
    Ways,
)
from app.seam.values import Card, Exhibit, Side, Trouble
from llmrec.contracts import Id, Token

LACKS = "the fake reads no text"


class FakeNames:
    """Part of `FakeBackend`, whose `card`, `index`, `titles` and `user_keys` it reads. `waits`: answers of `predicted` and `text_read` to
    come before they are ready. `unwalked`: the space of nearness is not there yet."""

    waits, unwalked = 0, False

    def nodes(self: Any, run: str) -> dict[str, str]:
        items = {f"item:{c.key}": f"{c.title} ({c.year})" for c in self._items(run)}
        return {**items, **{f"user:{k}": f"user {k}" for k in self.user_keys(run)}, **{f"token:<c{c}>": f"<c{c}>" for c in range(3)}}

    def inspect(self: Any, run: str, node: str) -> Inspection:
        side, _, key = node.partition(":")
        facts = (("Taken", "7", "Interactions."),)
        if side == "token":
            card = Card("token", int(key[2:-1]), key, key, pieces=(Token(key),), tones=(int(key[2:-1]),))
            return Inspection(card, facts, (self._shared(run, key),), telling=(("Genres", (Telling("Sci-Fi", 2, 3, 1.6),)),))
        index = self.index(run, side, key)
        if index is None:
            raise Trouble(f"no {side} {key}")
        card = self.card(run, side, index)
        near = (Neighbour(self.card(run, "item", 2), 0.91, 1, 2),)
        whole = Shared(card.pieces, card.tones, "name", 0, 0, (), ())
        if self.unwalked:
            return Inspection(card, facts, tuple(self._shared(run, str(p)) for p in card.pieces), (whole,), None, note="it waits for walks")
        return Inspection(card, facts, tuple(self._shared(run, str(p), 0.5) for p in card.pieces), (whole,), near, 0.1)

    def predicted(self, run: str, token: str, again: bool = False) -> Predicted:
        if self.waits > 0:
            self.waits -= 1
            return Predicted("waiting", "asking the model")
        return Predicted("ready", "", 6, 10, 0.25, 3, 0.33, 0.5)

    def health(self: Any, run: str) -> Health:
        levels = pd.DataFrame({"piece": [1, 2], "book": ["c", "r"], "codes": [4, 18], "used": [3, 18], "dead": [1, 0]})
        return Health(
            (("Item names", "12", "Different names."), ("Collisions", "2", "Who shares a whole name.")),
            (
                Finding("<c0> holds 90% of piece 1, 4 times its share: this level has collapsed.", True, "token:<c0>"),
                Finding("No two are dead."),
            ),
            (("1-c", "piece 1 (<c0> to <c3>)"), ("2-r", "piece 2 (<r0> to <r17>)")),
            levels,
            (Shared((Token("<c1>"), Token("<r1>")), (1, None), "name", 2, 0, (self.card(run, "item", 1), self.card(run, "item", 4)), ()),),
            ("a note of health",),
        )

    def semantics(self, run: str) -> tuple[tuple[str, str, str], ...]:
        return (("Memorization", "0.300", "Alike in behaviour, alike in name?"),)

    def usage(self, run: str, book: str, dark: bool = False) -> Exhibit:
        if book not in ("1-c", "2-r"):
            raise Trouble(f"No book is called {book}.")
        table = pd.DataFrame({"code": [0, 1, 3], "bearers": [9, 3, 0]})
        return Exhibit("codes", f"Use of {book}", "3 of 4 are used.", table, go.Figure(go.Bar(x=table["code"], y=table["bearers"])))

    def sides(self, run: str) -> tuple[Side, ...]:
        return ("item", "user")

    def tree(self, run: str, side: Side, shape: Shape, by: str, depth: int, dark: bool = False) -> Tree:
        kind = go.Sunburst if shape == "sunburst" else go.Treemap
        ids = ["all", "0", "1", "0/3"]
        figure = go.Figure(kind(ids=ids, labels=[side, "<c0>", "<c1>", "<r3>"], parents=["", "all", "all", "0"], values=[12, 8, 4, 1]))
        return Tree(Exhibit("tree", "Names as a tree", f"By {by}.", pd.DataFrame({"node": ids}), figure), "2 branches are others.", 2)

    def branch(self: Any, run: str, side: Side, branch: str) -> Found:
        if not branch.split("/", maxsplit=1)[0].isdigit():
            raise Trouble(f"{branch} is no node of the tree")
        return self.invert(run, side, (int(branch.split("/", maxsplit=1)[0]),))

    def places(self, run: str, side: Side) -> tuple[Place, ...]:
        if run == "small":  # its names are text
            return ()
        return (
            Place("Piece 1", tuple((c, f"<c{c}>", 4) for c in range(3))),
            Place("Piece 2", tuple((c, f"<r{c}>", 1) for c in range(12))),
        )

    def read(self, run: str, name: str) -> tuple[Side, tuple[int | None, ...]]:
        if name == "<c1>":
            return "item", (1,)
        if name == "<c1><r4>":
            return "item", (1, 4)
        if name == "<c1><r9>":
            return "item", (1, 9)
        raise Trouble(f"{name} is no name: names look like <c1><r4>.")

    def invert(self: Any, run: str, side: Side, codes: tuple[int | None, ...]) -> Found:
        wanted = [f"<{book}{code}>" for book, code in zip("cr", codes, strict=False) if code is not None]
        cards = [c for c in self._items(run) if all(w in c.pieces for w in wanted)]
        note = f"{len(cards)} have these pieces." if cards else "Nobody has this name."
        return Found(tuple(wanted), note, len(cards), 0, self._rows(cards))

    def beginning(self: Any, run: str, side: Side, text: str) -> Found:
        cards = [c for c in self._items(run) if text and c.title.casefold().startswith(text.casefold())]
        return Found((text,), f"{len(cards)} begin so.", len(cards), 0, self._rows(cards))

    def bearers(self: Any, run: str, token: str) -> Found:
        cards = [c for c in self._items(run) if token in c.pieces]
        return Found((token,), "", len(cards), 0, self._rows(cards))

    def tones(self, run: str, pieces: tuple[str, ...]) -> tuple[Id, Tones]:
        return tuple(Token(p) if p.startswith("<") else p for p in pieces), tuple(0 if p.startswith("<") else None for p in pieces)

    def ways(self, run: str) -> Ways:
        return Ways("", "", LACKS) if run == "alpha" else Ways("nobody new", "nothing new", "")

    def name_user(self: Any, run: str, history: tuple[int, ...]) -> Landed:
        return self._landed(run, "user", f"from {len(history)} films")

    def text_read(self, run: str, text: str, again: bool = False) -> tuple[str, str]:
        if self.waits > 0:
            self.waits -= 1
            return "waiting", "loading the model"
        return "ready", ""

    def name_item(self: Any, run: str, users: tuple[int, ...] = (), text: str = "") -> Landed:
        if text and run == "alpha":
            raise Trouble(LACKS)
        return self._landed(run, "item", f"from {text or len(users)}")

    def listed(self: Any, run: str, nodes: tuple[str, ...] | None, words: str = "") -> pd.DataFrame:
        cards = [c for c in self._items(run) if nodes is None or c.node in nodes]
        return self._rows([c for c in cards if all(w in c.title.casefold() for w in words.casefold().split())])

    def export(self: Any, run: str, nodes: tuple[str, ...] | None, form: Form) -> bytes:
        return f"{form} of {len(self.listed(run, nodes))}".encode()

    def _items(self: Any, run: str) -> list[Card]:
        return [self.card(run, "item", i) for i in range(len(self.titles(run)))]

    def _rows(self, cards: list[Card]) -> pd.DataFrame:
        columns = ["node", "side", "key", "title", "name", "taken", "same name"]
        return pd.DataFrame([[c.node, c.side, c.key, c.title, "".join(map(str, c.pieces)), 7, 0] for c in cards], columns=columns)

    def _landed(self: Any, run: str, side: Side, note: str) -> Landed:
        alike = Neighbour(self.card(run, "item", 1), float("nan"), 1, 2)
        near = Neighbour(self.card(run, "item", 4), 0.77, 1, 2)
        return Landed(side, (Token("<c1>"), Token("<r99>")), (1, None), note, (alike,), (near,), 0.02)

    def _shared(self: Any, run: str, token: str, cosine: float | None = None) -> Shared:
        items = tuple(c for c in self._items(run) if token in c.pieces)
        users = tuple(c for u in range(len(self.user_keys(run))) if token in (c := self.card(run, "user", u)).pieces)
        return Shared((Token(token),), (0,), "piece", len(items), len(users), items, users, cosine)
