"""The papers' claims as data, and what our own measurements say of each.

Where it stands: after `means`; the table of claims in docs/results.md is made here. What it does not know: why a claim holds or not; that
is said by hand in the book, between the tables.

A claim sets two rows side by side on the same users: the difference of each user's means over seeds, with a 95 % bootstrap interval over
users. It holds where the interval lies above 0, does not hold where it lies below, and is open where 0 lies inside; the seeds that agree
are told beside it. Where a paper says "loses little", the left side is set against a share of the right one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import places
from benchmarks.places import members
from benchmarks.report import means
from benchmarks.report.means import ABSENT, MASKED, UNMASKED, Ids, Sample
from benchmarks.rows import rows
from llmrec.report.compare import Interval

HOLDS, FAILS, OPEN = "holds", "does not hold", "open"
SMALL, BATCH = 0.25, 64
RANKING = Path(__file__).resolve().parents[1] / "measured/ranking.json"


@dataclass(frozen=True)
class Claim:
    """One sentence of a paper and the two rows that test it.

    left, right: names of rows, the left one said to be better; share: of the right side that the left must reach; held_out: on the users
    that the left row held out of training, else on all.
    """

    paper: str
    says: str
    left: str
    right: str
    metric: str = "ndcg@10"
    ranking: str = MASKED
    share: float = 1.0
    held_out: bool = False


@dataclass(frozen=True)
class Verdict:
    """What was found. difference: left - share * right; agree, seeds: how many of the pairs of seeds have the sign of the claim."""

    word: str
    difference: Interval
    left: float
    right: float
    agree: int
    seeds: int
    n_users: int


META = "metaid-ml-100k-sketch"
TOKEN = "tokenrec-ml-100k-sketch"
MUTUAL = "mutual/cllm4rec-ml-100k"
IN_VOCABULARY = {
    "rid": "random digits (RID)",
    "sid": "digits in order (SID)",
    "cid": "cluster paths (CID, here with Tokens of its own)",
    "title": "titles",
}
CODES = {
    "kmeans": "k-means codes",
    "vq": "VQ codes without a mask",
    "rqkmeans": "residual codes (RQ k-means)",
    "rqvae": "residual codes (RQ-VAE)",
}
CLAIMS: tuple[Claim, ...] = (
    *(
        Claim("META ID", f"OOV names beat {what}, at equal training budget", META, f"{name}-ml-100k-sketch", ranking=ranking)
        for ranking in (MASKED, UNMASKED)
        for name, what in IN_VOCABULARY.items()
    ),
    *(
        Claim("TokenRec", f"MQ codes beat {what} of equal size under the same head", TOKEN, f"codes/{name}-ml-100k-sketch")
        for name, what in CODES.items()
    ),
    Claim(
        "TokenRec",
        "loses little on unseen users: they get at least nine tenths of what the same users get when they are trained on",
        "unseen/tokenrec-ml-100k-sketch",
        TOKEN,
        share=0.9,
        held_out=True,
    ),
    *(
        Claim("CLLM4Rec", f"{what} helps", MUTUAL, f"mutual/{name}-ml-100k", metric=metric)
        for name, what in (("llm-cf", "mutual regularisation with content"), ("llm-prerec", "RecFT"))
        for metric in ("recall@20", "ndcg@100")
    ),
    *(
        Claim("issue", f"the best scheme beats {what}", "tokenrec-ml-100k-demo", f"baselines/{name}-ml-100k", metric=metric)
        for name, what in (("itemknn-last3", "ItemKNN on the last 3 items"), ("sasrec", "SASRec"))
        for metric in ("hit@10", "ndcg@10")
    ),
)


def verdict(claim: Claim, folder: Path | None = None) -> Verdict | None:
    """What the results say of a claim; None where a side was not measured. ValueError where the sides asked different users."""
    users = _held_out(claim.left, folder) if claim.held_out else None
    left, right = (means.sample(row, claim.metric, claim.ranking, users, folder) for row in (claim.left, claim.right))
    if left is None or right is None:
        return None
    if not np.array_equal(left.users, right.users):
        raise ValueError(f"{claim.left} and {claim.right} asked different users: a claim compares rows of one data set and split")
    pairs = paired(left, right, claim)
    if pairs is None:
        return None
    left, right = pairs
    (span,) = means.spans([Sample((0,), left.users, (left.per_user - claim.share * right.per_user)[None])])
    assert span is not None
    word = HOLDS if span.low > 0 else FAILS if span.high < 0 else OPEN
    ahead = left.per_seed > claim.share * right.per_seed  # one side may have one seed for all
    return Verdict(word, span, left.mean, right.mean, int(ahead.sum()), len(ahead), len(left.users))


def paired(left: Sample, right: Sample, claim: Claim) -> tuple[Sample, Sample] | None:
    """Both sides at the seeds that both have. A side that draws nothing has one seed, which stands beside every one of the other's.

    None where no seed is common.
    """
    seeds = set(left.seeds) & set(right.seeds)
    if not (draws(claim.left) and draws(claim.right)):
        return left, right
    return (left.at([*seeds]), right.at([*seeds])) if seeds else None


def draws(row: str) -> bool:
    """Whether a row differs from seed to seed."""
    known = rows().get(row)
    return known is None or known.seeds([0, 1]) != [0]


def table(claims: Sequence[Claim] = CLAIMS, folder: Path | None = None) -> str:
    """Every claim with what was found."""
    head = ("paper", "claim", "measured by", "left", "right", "difference (95 %)", "seeds that agree", "verdict")
    lines = [_line(claim, verdict(claim, folder)) for claim in claims]
    return means.markdown(head, lines + (cost() if claims is CLAIMS else []))


def cost(path: Path = RANKING) -> list[tuple[str, ...]]:
    """TokenRec's claim that retrieval costs a small fraction of beam search per user, from benchmarks/measured/ranking.json.

    Small is a quarter at most. It holds where the slowest turn of the one is below a quarter of the quickest of the other, does not hold
    where the quickest is above a quarter of the slowest, and is open between.
    """
    said = "retrieval costs a small fraction of beam search per user (a quarter at most)"
    if not path.exists():
        return [("TokenRec", said, "`benchmarks/measured/ranking.json`", "", "", "", "", ABSENT)]
    lines = []
    for name, found in json.loads(path.read_text(encoding="utf-8"))["catalogues"].items():
        for names in ("the same model and names", "each paper's own names"):
            own = "metaid" if names.startswith("the same") else "tokenrec"
            some = [one for one in found["rows"] if one["threads"] == 1 and one["batch"] == BATCH]
            quick = next(one for one in some if (one["names"], one["head"]) == (own, "retrieve"))
            slow = next(one for one in some if (one["names"], one["head"]) == ("metaid", "trie, 10 beams"))
            least, most = quick["least"] / slow["most"], quick["most"] / slow["least"]
            word = HOLDS if most < SMALL else FAILS if least > SMALL else OPEN
            ratio = f"times {quick['ms'] / slow['ms']:.2f} ({least:.2f} to {most:.2f})"
            by = f"retrieve against trie with 10 beams, {names}, {name}, {BATCH} people at once"
            lines.append(("TokenRec", said, by, f"{quick['ms']:.2f} ms", f"{slow['ms']:.2f} ms", ratio, "", f"**{word}**"))
    return lines


def _line(claim: Claim, found: Verdict | None) -> tuple[str, ...]:
    policy = claim.ranking.removeprefix("test ")
    share = "" if claim.share == 1 else f"{claim.share:g} of "
    by = f"`{claim.left}` against {share}`{claim.right}`, {claim.metric} {policy}"
    if found is None:
        return (claim.paper, claim.says, by, "", "", "", "", ABSENT)
    by += f", {found.n_users} users"
    figures = (f"{found.left:.4f}", f"{found.right:.4f}", means.signed(found.difference), f"{found.agree} of {found.seeds}")
    return (claim.paper, claim.says, by, *figures, f"**{found.word}**")


def _held_out(row: str, folder: Path | None) -> Ids | None:
    """The users that a row's runs held out; None where it was not measured."""
    kept = means.results(row, folder or places.FOLDER)
    return members(kept[0].said["held_out"]) if kept else None
