"""What heads share that score the whole catalogue at once: the state that is read, and from scores to a ranking.

Where it stands: under the heads `items` and `retrieve`. What it does not know: where the scores come from.

Items that score alike (items of one name, say) follow an order drawn once, as in the classical recommenders: item numbers may know
something of the test items.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from llmrec import rng
from llmrec.contracts import Ints, Ranked
from llmrec.lm.documents import pad
from llmrec.lm.model import LanguageModel

NONE = float("-inf")


def last_states(lm: LanguageModel, prompts: list[list[int]]) -> Tensor:
    """The state after each prompt, in one pass: (b, d)."""
    ids, mask = (x.to(lm.device) for x in pad([np.asarray(p, dtype=np.int64) for p in prompts], 0))
    states: Tensor = lm(ids, mask)
    return states[torch.arange(len(ids), device=ids.device), mask.sum(1) - 1]


def tie_order(m: int) -> Tensor:
    """An order of all items that knows nothing of them: (m,)."""
    return torch.from_numpy(rng.stream(0, "ties between items").permutation(m))


def best(scores: Tensor, k: int, ties: Tensor, exclude: Sequence[Ints] | None = None) -> Ranked:
    """The k best items a row, equals in the order of `ties`. scores: (b, m), -inf for what must not come.

    Excluded items never come back; -1 and -inf where fewer than k are left.
    """
    scores = scores.float().cpu().clone()
    for row, items in zip(scores, exclude or (), strict=False):
        row[torch.as_tensor(np.asarray(items, dtype=np.int64))] = NONE
    scores = scores[:, ties]
    columns = _top(scores, min(k, scores.shape[1]))
    values, order = scores.gather(1, columns).sort(dim=1, descending=True, stable=True)
    return padded(ties[columns.gather(1, order)], values, k)


def _top(scores: Tensor, k: int) -> Tensor:
    """Columns of the k largest of each row, ascending; of equals the leftmost, which topk does not promise: (b, k).

    Sorting all of a row instead would take most of the time of a ranking from 100,000 items on.
    """
    b, m = scores.shape
    if not b or not k or k == m:
        return torch.arange(k).expand(b, k)
    least = scores.topk(k, dim=1).values[:, -1:]
    above, equal = scores > least, scores == least
    keep = above | (equal & (equal.cumsum(1, dtype=torch.int32) <= k - above.sum(1, keepdim=True)))
    if not bool((keep.sum(1) == k).all()):  # something is not a number, as after a training that diverged
        return scores.sort(dim=1, descending=True, stable=True).indices[:, :k].sort(dim=1).values
    return keep.nonzero()[:, 1].view(b, k)


def padded(items: Tensor, values: Tensor, k: int) -> Ranked:
    """A ranking of k places from (b, at most k) items and scores, -1 where the score is -inf and where there is nothing."""
    short = (0, k - items.shape[1])
    items = torch.nn.functional.pad(items.masked_fill(values == NONE, -1), short, value=-1)
    return Ranked(items.int().numpy(), torch.nn.functional.pad(values, short, value=NONE).numpy())
