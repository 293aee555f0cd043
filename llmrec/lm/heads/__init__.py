"""How a language model's output becomes a ranking of items. A head knows no scheme; it takes any table of names, or says why it can't.

Where it stands: the end of stage 4. Every head is a frozen dataclass of settings that speaks `Head`:

| head | what it reads | passes a ranking | what it asks |
|---|---|---|---|
| trie | the softmax over what can follow in the tree of names | one per piece, all beams at once | unique names |
| items | one softmax over items, each tied to the mean of its Tokens' rows | one | a Token in each name |
| retrieve | a projection of the state, by cosine against the items' vectors | one | vectors |

What it does not know: schemes, pages, runs. Nothing heavy is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from llmrec.contracts import Catalog, IdTable, Ints, Ranked, Vectors
    from llmrec.lm.documents import Batch
    from llmrec.lm.model import LanguageModel
    from llmrec.lm.vocab import Ragged


class Compiled(Protocol):
    """What a head looked up once, for one model and one table. names: each item's row numbers, as documents write them."""

    @property
    def names(self) -> Ragged: ...


@runtime_checkable
class Head(Protocol):
    """Training and ranking through a language model. needs_vectors: whether `vectors` may not be None."""

    needs_vectors: ClassVar[bool]

    def equip(self, lm: LanguageModel, vectors: Vectors | None, seed: int) -> None:
        """Before training: give the model the weights that this head trains of its own, if any."""
        ...

    def compile(self, lm: LanguageModel, table: IdTable, catalog: Catalog | None = None, vectors: Vectors | None = None) -> Any:
        """A `Compiled` of this head's own kind. ValueError with the reason where these names cannot be ranked."""
        ...

    def loss(self, lm: LanguageModel, compiled: Any, batch: Batch) -> Tensor:
        """A scalar: how badly each supervised item was foreseen. The head makes its own targets from where names begin.

        A batch may be one process's share of a step: the loss is then its part of the step's, and the parts sum to the whole.
        """
        ...

    def rank(self, lm: LanguageModel, compiled: Any, prompts: list[list[int]], k: int, exclude: tuple[Ints, ...] | None = None) -> Ranked:
        """The k best items after each prompt; excluded items never come back."""
        ...
