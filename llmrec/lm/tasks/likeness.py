"""How like what was said is to what should have been: BLEU and ROUGE-L by the libraries that papers cite.

Where it stands: under the measures of this folder. What it does not know: whether what is said is true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Likeness:
    """bleu: of the whole corpus, 0 to 100, sacrebleu's defaults; rouge_l: the mean F1, 0 to 1, words in lower case, no stemming.

    Words are runs of letters and digits of any script, where rouge-score's own knows a to z alone; in English both are the same.
    """

    bleu: float
    rouge_l: float


def likeness(said: Sequence[str], right: Sequence[str]) -> Likeness:
    """Texts against one reference each. ValueError where there is nothing to compare."""
    return Likeness(bleu(said, right), float(rouge(said, right).mean()))


def bleu(said: Sequence[str], right: Sequence[str]) -> float:
    """BLEU of the whole corpus. ValueError where there is nothing to compare."""
    from sacrebleu.metrics.bleu import BLEU

    if not said:
        raise ValueError("there is no text to compare: ask more users")
    return float(BLEU().corpus_score(list(said), [list(right)]).score)


def rouge(said: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    """ROUGE-L F1 of each text against its reference: (n,)."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    return np.asarray([scorer.score(r, s)["rougeL"].fmeasure for s, r in zip(said, right, strict=True)], dtype=np.float64)


class _Words:
    """rouge-score's protocol of a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(text.lower())
