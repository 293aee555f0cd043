"""Behind `seam.IntakeLike`: data sets to look at, and files on their way to a new one.

Where it stands: a room of the backend, over `sets`, `drafts` and `llmrec.data.importing`. What it does not know: Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from app.data import overview as glance
from app.data.drafts import Drafts
from app.data.sets import Sets
from app.library import Library, told
from app.seam.intake import DataSet, Draft, Parts, Reading, Sections, Wait
from app.seam.train import Setting
from app.seam.values import Overview, Trouble
from llmrec.contracts import Dataset, Split


class Intake:
    """See `seam.IntakeLike`."""

    def __init__(self, library: Library) -> None:
        self._library, self._sets, self._drafts = library, Sets(library), Drafts(library.errands)

    def sets(self, run: str | None) -> tuple[DataSet, ...]:
        """What can be looked at."""
        with told():
            return self._sets.listed(run)

    def waiting(self, run: str | None, data: str) -> Wait | None:
        """None where it can be shown now; else how far reading it is, which is begun."""
        with told():
            return self._sets.waiting(run, data)

    def overview(self, run: str | None, data: str, dark: bool = False) -> Overview:
        """A data set at a glance."""
        with told():
            world, key = self._sets.world(run, data), ("overview", self._sets.stamp(run, data), dark)
            return self._library.kept(key, lambda: glance.overview(world.dataset, dark))

    def users(self, run: str | None, data: str) -> list[str]:
        """Keys; user i is the i-th."""
        with told():
            return self._sets.world(run, data).dataset.catalog.user_keys

    def history(self, run: str | None, data: str, user: str) -> pd.DataFrame:
        """What a user took, oldest first."""
        with told():
            world = self._sets.world(run, data)
            index = world.index("user", user)
            if index is None:
                raise Trouble(f"No user has the key {user!r:.100} here: choose one from the list.")
            return world.history(index)

    def find(self, run: str | None, data: str, words: str) -> tuple[tuple[str, str], ...]:
        """Items by words of their titles: (key, title and year)."""
        with told():
            return self._sets.find(run, data, words)

    def takers(self, run: str | None, data: str, item: str) -> tuple[str, pd.DataFrame]:
        """An item's title, and who took it."""
        with told():
            return self._sets.takers(run, data, item)

    def open(self, files: Sequence[tuple[str, bytes]]) -> Draft:
        """Files as they were handed in, recognised."""
        with told():
            return self._drafts.open(files)

    def read(self, draft: Draft, roles: Mapping[str, str], encoding: str = "utf-8") -> Reading | Wait:
        """Read them to their end."""
        with told():
            return self._drafts.read(draft, roles, encoding)

    def parts(self, reading: Reading, sections: Sections) -> Parts:
        """What filter and split would make of it."""
        with told():
            checked = _checked(sections)
            key = ("parts", reading.key, repr(sorted((s, sorted(b.items())) for s, b in checked.items())))
            return self._library.kept(key, lambda: _parts(self._drafts.dataset(reading.key), checked))

    def splits(self) -> dict[str, tuple[str, tuple[Setting, ...]]]:
        """Every split with its sentence and its settings."""
        from app.train import forms
        from llmrec import registry

        found = {}
        for name in registry.names("split"):
            settings = forms.settings({"scheme": {"name": "rid"}, "split": {"name": name}})
            mine = tuple(s for s in settings if s.where.startswith("split.") and s.where != "split.name")
            found[name] = (forms.sentence(registry.load("split", name)), mine)
        return found

    def keep(self, reading: Reading, name: str, sections: Sections) -> str:
        """Make it a data set of this machine; its name."""
        from llmrec import recipe
        from llmrec.data import importing, uploads
        from llmrec.runs import cache, stages

        with told():
            checked = _checked(sections)
            uploads.free_name(name)
            dataset = uploads.named(self._drafts.dataset(reading.key), name)
            left, parted = importing.cut(dataset, checked)
            files, section = self._drafts.files(reading.key), self._drafts.section(reading.key)
            uploads.keep(name, files, {"data": section, **checked})
            wanted = recipe.read({"data": {"name": "upload", "set": name}, **checked, "scheme": {"name": "metaid"}})
            keys = stages.keys(wanted)  # read already: whoever asks next need not wait
            cache.remember("data", keys["data"], Dataset, lambda: left)
            cache.remember("split", keys["split"], Split, lambda: parted)
            return name

    def recipe(self, data: str) -> str:
        """A recipe on this set, with names and model by default."""
        with told():
            text: str = self._sets.recipe(data).to_toml()
            return text

    def readers(self, data: str) -> tuple[str, ...]:
        """The runs that learned from it."""
        from llmrec.runs import readers

        with told():
            return tuple(readers.of_upload(data))

    def delete(self, data: str) -> str:
        """Throw a set of this machine away; what that freed, in a sentence. `Trouble` while a run that waits or works reads it."""
        from llmrec.data import uploads
        from llmrec.runs import readers
        from llmrec.runs.estimate.values import size

        with told():
            readers.refuse_at_work(data)
            return f"{data} is deleted, {size(uploads.delete(data))} are free again."

    def close(self) -> None:
        """Throw the drafts away."""
        self._drafts.close()


def _checked(sections: Sections) -> dict[str, dict[str, Any]]:
    """[filter] and [split] as a page may ask for them, as a recipe writes them."""
    from llmrec import guard

    plain = {name: dict(sections.get(name, {})) for name in ("filter", "split")}
    wanted = guard.checked({**{k: v for k, v in plain.items() if v}, "scheme": {"name": "rid"}}).to_dict()
    return {name: dict(wanted.get(name, {})) for name in plain}


def _parts(dataset: Any, sections: dict[str, dict[str, Any]]) -> Parts:
    from llmrec import recipe
    from llmrec.data import importing
    from llmrec.data.describe import describe_split

    left = recipe.stage("filter", sections["filter"]).left(dataset.interactions)
    try:
        _, parted = importing.cut(dataset, sections)
    except ValueError as error:
        return Parts(left, trouble=str(error))
    facts = describe_split(parted)
    sizes = [
        ("Train", f"{facts['n_train']:,}", "Interactions that a model learns from."),
        ("Validation", f"{facts['n_valid']:,}", "Interactions that models are chosen by."),
        ("Test", f"{facts['n_test']:,}", "Interactions that are asked about in the end, and shown to nothing before."),
        ("Users asked", f"{facts['users_asked']:,}", "Users with something held out."),
        ("Train only", f"{facts['users_train_only']:,}", "Users whose history is too short to be asked about; all of it is learned from."),
    ]
    if facts["users_held_out"]:
        sizes.append(("Unseen users", f"{facts['users_held_out']:,}", "Users whose every interaction is kept out of training."))
    if facts["items_unseen_in_train"]:
        sizes.append(("Unseen items", f"{facts['items_unseen_in_train']:,}", "Items that nobody takes in train."))
    return Parts(left, tuple(sizes))
