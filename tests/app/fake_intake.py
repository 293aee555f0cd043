"""A fake that speaks `seam.IntakeLike`, over the fake backend's films. Files are read for real, with no process and nothing kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from app.seam import Overview, Setting, Trouble
from app.seam.intake import DataSet, Draft, Parts, Reading, Rows, Sections, Wait


class FakeIntake:
    """`backend`: the fake backend, for its films and names. own: what was imported; draft, wait, fails: what the next question gives."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.own: dict[str, Sections] = {"mine": {}}
        self.draft = Draft(
            "d1",
            "A table of interactions: r.csv",
            Rows("r.csv", ("who", "what", "<b>when</b>"), (("a", "<script>x</script>", "1"), ("b", "y", "2"))),
            {"who": "user", "what": "item"},
            ("user", "item", "time", "rating", "title"),
            ("README",),
            "r",
            ("utf-8", "latin-1"),
        )
        self.wait: Wait | None = None
        self.fails = ""
        self.asked: list[Any] = []

    def sets(self, run: str | None) -> tuple[DataSet, ...]:
        mine = tuple(DataSet(name, name, "own", "Imported on this machine.") for name in self.own)
        first = (DataSet("", "films, as the run took it", "run"),) if run is not None else ()
        return (*first, DataSet("ml-100k", "ml-100k", "named", "943 people."), *mine)

    def waiting(self, run: str | None, data: str) -> Wait | None:
        return self.wait if data else None

    def overview(self, run: str | None, data: str, dark: bool = False) -> Overview:
        if data == "mine" and self.fails:
            raise Trouble(self.fails)
        found: Overview = self.backend.overview(run, dark)
        return found if not data else Overview(data, found.counts, found.exhibits, found.notes)

    def users(self, run: str | None, data: str) -> list[str]:
        keys: list[str] = self.backend.user_keys(run)
        return keys

    def history(self, run: str | None, data: str, user: str) -> pd.DataFrame:
        table: pd.DataFrame = self.backend.history(run, self.users(run, data).index(user))
        return table

    def find(self, run: str | None, data: str, words: str) -> tuple[tuple[str, str], ...]:
        titles = self.backend.titles(run)
        return tuple((str(i + 1), t) for i, t in enumerate(titles) if all(w in t.casefold() for w in words.casefold().split()))

    def takers(self, run: str | None, data: str, item: str) -> tuple[str, pd.DataFrame]:
        index = self.backend.index(run, "item", item)
        if index is None:
            raise Trouble(f"No item has the key {item!r} here: search for its title.")
        return self.backend.titles(run)[index], pd.DataFrame({"user": ["100", "103"], "date": ["1997-01-01", "1998-01-01"]})

    def open(self, files: Sequence[tuple[str, bytes]]) -> Draft:
        self.asked.append([name for name, _ in files])
        if self.fails:
            raise Trouble(self.fails)
        return self.draft

    def read(self, draft: Draft, roles: Mapping[str, str], encoding: str = "utf-8") -> Reading | Wait:
        self.asked.append((dict(roles), encoding))
        if roles.get("time") == "what":
            raise Trouble("r.csv, line 3, column 'what': 'y' is not a number; correct the cell or delete the row")
        return self.wait or Reading("k1", (6, 12, 40), ("Alien",), ("2 exact duplicate rows were dropped",))

    def parts(self, reading: Reading, sections: Sections) -> Parts:
        self.asked.append(sections)
        most = int(sections["filter"].get("user", 0))
        if most > 9:
            return Parts((0, 0, 0), trouble="nothing is left of 40 interactions; lower them")
        return Parts((6 - most, 12, 40), (("Train", "30", "Learned from."),))

    def splits(self) -> dict[str, tuple[str, tuple[Setting, ...]]]:
        share = Setting("split.share", "number", 0.05, 0.05, help="How many.")
        return {"loo": ("The last item is test.", ()), "unseen-users": ("Some are unseen.", (share,))}

    def keep(self, reading: Reading, name: str, sections: Sections) -> str:
        if name in self.own:
            raise Trouble(f"a data set called {name!r} is there already: take another name, such as {name + '-2'!r}")
        self.own[name] = sections
        return name

    def recipe(self, data: str) -> str:
        return f'[filter]\nitem = {len(data)}\n[scheme]\nname = "metaid"\n'

    def readers(self, data: str) -> tuple[str, ...]:
        return ("alpha",) if data == "mine" else ()

    def delete(self, data: str) -> str:
        del self.own[data]
        return f"{data} is deleted."

    def close(self) -> None: ...
