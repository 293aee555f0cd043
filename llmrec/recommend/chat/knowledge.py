"""What speakers over one data set know of it: the catalogue's language, its titles as people type them, and what train says of items.

Where it stands: under the speakers, shared by all that speak of the same data. What it does not know: models, talks.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from llmrec.contracts import Catalog, Interactions
from llmrec.recommend.chat.mentions import Mentions
from llmrec.recommend.titles import shown

if TYPE_CHECKING:
    from llmrec.lm.dialogue.language import Language
    from llmrec.lm.tasks.facts import Facts


class Knowledge:
    """`train`: the interactions that models of this data learned from; nothing held out may be in it. Each part is made when first asked
    for."""

    def __init__(self, catalog: Catalog, train: Interactions) -> None:
        self.catalog, self.train = catalog, train

    @cached_property
    def mentions(self) -> Mentions:
        """Titles in messages; of equals the one is meant that more people took."""
        return Mentions(self.catalog, self.train)

    @cached_property
    def language(self) -> Language:
        """The closed language of answers."""
        from llmrec.lm.dialogue.language import Language

        return Language(self.catalog)

    @cached_property
    def facts(self) -> Facts:
        """What train and catalogue say for an item. A second or so for a large data set."""
        from llmrec.lm.tasks.facts import Facts

        return Facts.of(self.train, self.catalog)

    def title(self, item: int) -> str:
        """A title with its year."""
        return shown(item, self.catalog)
