"""How like what was said is to what should have been: BLEU and ROUGE-L by the libraries that papers cite.

Where it stands: under the measures of this folder. What it does not know: whether what is said is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Likeness:
    """bleu: of the whole corpus, 0 to 100, sacrebleu's defaults; rouge_l: the mean F1, 0 to 1, words in lower case, no stemming."""

    bleu: float
    rouge_l: float


def likeness(said: Sequence[str], right: Sequence[str]) -> Likeness:
    """Texts against one reference each. ValueError where there is nothing to compare."""
    from sacrebleu.metrics.bleu import BLEU

    if not said:
        raise ValueError("there is no text to compare: ask more users")
    return Likeness(float(BLEU().corpus_score(list(said), [list(right)]).score), float(rouge(said, right).mean()))


def rouge(said: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    """ROUGE-L F1 of each text against its reference: (n,)."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    return np.asarray([scorer.score(r, s)["rougeL"].fmeasure for s, r in zip(said, right, strict=True)], dtype=np.float64)
