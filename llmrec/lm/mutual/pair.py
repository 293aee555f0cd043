"""Two sides of one language model: rows that learn from interactions, rows that learn from words, and one base under both.

Where it stands: inside mutual training; the loop, its average and its checkpoints go by the names of a pair's weights.
What it does not know: documents, splits, the order of training.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from llmrec import artifacts
from llmrec.lm.documents import Batch
from llmrec.lm.model import LanguageModel
from llmrec.lm.trained import Trained
from llmrec.lm.vocab import Rows

KIND, FOLDER, FILE = "ContentRows", "content", "rows.safetensors"
Side = Literal["collaborative", "content"]


class Pair(Trained):
    """The collaborative model as given, and the content side: rows of its own, which begin where the collaborative ones begin.

    The base is one object, frozen or not, and its dropout is hooked once. `content` is None without a content side (LLM-CF).
    """

    def __init__(self, lm: LanguageModel, content: bool) -> None:
        super().__init__()
        if lm.rows.head is not None:
            raise ValueError("the rows that are read must be those that are ranked by, and this backbone keeps them apart: use a tied one")
        self.lm = lm
        self.content = Rows(lm.rows.base, None, lm.rows.first, lm.rows.new.detach(), None, 0.0) if content else None

    def words_lost(self, batch: Batch) -> Tensor:
        """Mean over supervised words of -log p(word | what came before), read through the content rows, in nats a word.

        batch.items are words: the softmax is over the subwords alone, tied to the base's own columns.
        """
        assert self.content is not None
        read = nn.functional.dropout(self.content(batch.ids), self.lm.backbone.dropout, self.training)
        states = self.lm.decoder(inputs_embeds=read, attention_mask=batch.mask, use_cache=False).last_hidden_state
        scores = nn.functional.linear(batch.before(states), self.lm.rows.words().to(states.dtype))
        right = torch.from_numpy(batch.items).to(scores.device)
        loss: Tensor = nn.functional.cross_entropy(scores.float(), right, reduction="sum")
        return loss / len(batch.of_step)

    def mentioned(self, batch: Batch, also: Tensor | None = None) -> Tensor:
        """Everybody a batch speaks of, each once, as places among the new rows, ascending. also: row numbers of those it asks for."""
        rows = batch.ids.flatten() if also is None else torch.cat([batch.ids.flatten(), also.to(batch.ids.device)])
        who: Tensor = torch.unique(rows[rows >= self.lm.rows.first])
        return who - self.lm.rows.first

    def apart(self, side: Side, who: Tensor, weights: Tensor | None = None) -> Tensor:
        """The sum over `who` of |z^l - z^c|^2, the other side held fixed: a scalar, 0 without a content side. weights: one for each."""
        if self.content is None:
            return self.lm.rows.new.new_zeros(())
        ours, theirs = self.lm.rows.new, self.content.new
        if side == "content":
            ours, theirs = theirs, ours
        squares = (ours[who] - theirs.detach()[who]).square()
        total: Tensor = (squares if weights is None else weights[:, None] * squares).sum()
        return total

    def undecayed(self) -> set[str]:
        """Both sides' rows: lambda is the prior of theirs."""
        own = [self.lm.rows.new] + ([] if self.content is None else [self.content.new])
        return {name for name, p in self.trained().items() if any(p is rows for rows in own)}

    @property
    def folders(self) -> tuple[str, ...]:
        """What `save` writes into a run's folder."""
        return ("model",) if self.content is None else ("model", FOLDER)

    def save(self, folder: Path) -> None:
        """Write both sides into a run's folder: the collaborative model as any other, the content rows beside it."""
        self.lm.save(folder / "model")
        if self.content is None:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
            return
        from safetensors.torch import save_file

        with artifacts.writing(folder / FOLDER, KIND, {"n_tokens": len(self.content.new)}) as fresh:
            save_file({"rows": self.content.new.detach().cpu().contiguous()}, fresh / FILE)


class Sides(NamedTuple):
    """Both sides' rows, (n_tokens, d) fp32 each, in the order of the table's Tokens."""

    collaborative: Tensor
    content: Tensor


def read_sides(folder: Path) -> Sides:
    """The two sets of rows of a run, side by side. Raises `BadArtifact` where the run has no content side, or a file is damaged."""
    from safetensors.torch import load_file

    artifacts.check(folder / FOLDER, KIND)
    content = load_file(folder / FOLDER / FILE)["rows"]
    return Sides(LanguageModel.load(folder / "model").rows.new.detach(), content)
