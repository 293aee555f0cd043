"""The papers' claims as data, and what our own measurements say of each.

Where it stands: after `means`; the table of claims in docs/results.md is made here. What it does not know: why a claim holds or not; that
is said by hand in the book, between the tables.

A claim sets two rows side by side on the same users: the difference of each user's means over seeds, with a 95 % bootstrap interval over
users. It holds where the interval lies above 0 and three seeds at least have its sign, does not hold where the same is so below 0, and is
open otherwise; where fewer seeds were measured and all agree, the verdict says at how many. Where a paper says "loses little", the left
side is set against a share of the right one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import places
from benchmarks.places import Result, members
from benchmarks.report import means
from benchmarks.report.means import ABSENT, MASKED, UNMASKED, Array, Ids, Sample
from llmrec.report.compare import Interval

HOLDS, FAILS, OPEN = "holds", "does not hold", "open"
ENOUGH = 3  # seeds of one sign that a verdict needs
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
    """What was found. difference: left - share * right; seeds: those of both sides; agree: how many of them have the claim's sign."""

    word: str
    difference: Interval
    left: float
    right: float
    agree: int
    seeds: tuple[int, ...]
    n_users: int


META = "metaid-ml-100k-sketch"
TOKEN = "tokenrec-ml-100k-sketch"
MUTUAL = {"cut SmolLM2": "mutual/{}-ml-100k", "small model from scratch": "mutual/{}-nano-ml-100k"}
ABLATIONS = {
    "llm-cf": "mutual regularisation with content",
    "llm-prerec": "RecFT in place of as many passes of pretraining",
    "llm-fixord": "stochastic reordering",
}
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
        Claim("CLLM4Rec", f"{what} helps ({base})", called.format("cllm4rec"), called.format(name), metric=metric)
        for base, called in MUTUAL.items()
        for name, what in ABLATIONS.items()
        for metric in ("recall@20", "ndcg@100")
    ),
    *(
        Claim(
            "CLLM4Rec",
            "RecFT helps after the same pretraining (small model from scratch)",
            "mutual/cllm4rec-nano-ml-100k",
            "mutual/llm-prerec-short-nano-ml-100k",
            metric=metric,
        )
        for metric in ("recall@20", "ndcg@100")
    ),
    *(
        Claim("issue", f"the best scheme beats {what}", "tokenrec-ml-100k-demo", f"baselines/{name}-ml-100k", metric=metric)
        for name, what in (("itemknn-last3", "ItemKNN on the last 3 items"), ("sasrec", "SASRec"))
        for metric in ("hit@10", "ndcg@10")
    ),
)


def verdict(claim: Claim, folder: Path | None = None) -> Verdict | None:
    """What the results say of a claim; None where no seed was measured on both sides. ValueError for sides that must not be compared."""
    comparable(claim, folder)
    users = _held_out(claim.left, folder) if claim.held_out else None
    pair = paired(*(means.sample(row, claim.metric, claim.ranking, users, folder) for row in (claim.left, claim.right)))
    if pair is None:
        return None
    left, right = pair
    if not np.array_equal(left.users, right.users):
        raise ValueError(f"{claim.left} and {claim.right} asked different users: a claim compares rows of one data set and split")
    (span,) = means.spans([Sample((0,), left.users, (left.per_user - claim.share * right.per_user)[None])])
    assert span is not None
    apart = left.per_seed - claim.share * right.per_seed
    return Verdict(word(span, apart), span, left.mean, right.mean, int((apart > 0).sum()), left.seeds, len(left.users))


def word(span: Interval, apart: Array) -> str:
    """The verdict on an interval and the differences of the seeds: sure only where `ENOUGH` seeds have the interval's sign."""
    if span.low <= 0 <= span.high:
        return OPEN
    sure, agree = (HOLDS, int((apart > 0).sum())) if span.low > 0 else (FAILS, int((apart < 0).sum()))
    if len(apart) >= ENOUGH:
        return sure if agree >= ENOUGH else OPEN
    return f"{sure} at {agree} seed{'s' if agree > 1 else ''}" if agree == len(apart) else OPEN


def comparable(claim: Claim, folder: Path | None = None) -> None:
    """ValueError where two sides were measured on other data, by another protocol, on another split or with other numbers of targets."""
    left, right = ({r.seed: r for r in means.results(row, folder)} for row in (claim.left, claim.right))
    for seed in left.keys() & right.keys():
        a, b = left[seed], right[seed]
        alike = {"data": (a.said["data"], b.said["data"]), "targets": _targets(claim, a, b)}
        if not claim.held_out:  # held-out users are set against themselves in the ordinary split, which trains on more
            alike |= {"protocol": (a.said["protocol"], b.said["protocol"]), "train": _part("train", a, b)}
        alike["test part"] = _part("test", a, b)
        other = [name for name, (one, two) in alike.items() if one != two]
        if other:
            raise ValueError(f"{claim.left} and {claim.right} at seed {seed} must not be compared: they differ in {', '.join(other)}")


def _part(name: str, a: Result, b: Result) -> tuple[Any, Any]:
    """Fingerprints of a part of the splits, alike where one result keeps none."""
    one, two = (r.said.get("split", {}).get(name) for r in (a, b))
    return (one, two) if one and two else ("", "")


def _targets(claim: Claim, a: Result, b: Result) -> tuple[Any, Any]:
    """How many targets the users have whom both asked."""
    one, two = a.placed(claim.ranking), b.placed(claim.ranking)
    if one is None or two is None:
        return "", ""
    both = np.intersect1d(one.users, two.users)
    return one.only(both).counts.tolist(), two.only(both).counts.tolist()


def paired(left: Sample | None, right: Sample | None) -> tuple[Sample, Sample] | None:
    """Both sides at the seeds that both have; None where there is none."""
    seeds = set(left.seeds) & set(right.seeds) if left is not None and right is not None else set()
    return (left.at([*seeds]), right.at([*seeds])) if left is not None and right is not None and seeds else None


def table(claims: Sequence[Claim] = CLAIMS, folder: Path | None = None) -> str:
    """Every claim with what was found."""
    head = ("paper", "claim", "measured by", "left", "right", "difference (95 %)", "seeds with the claim's sign", "verdict")
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
    lines: list[tuple[str, ...]] = []
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
    figures = (f"{found.left:.4f}", f"{found.right:.4f}", means.signed(found.difference))
    seeds = f"{found.agree} of {len(found.seeds)} (seed{'s' if len(found.seeds) > 1 else ''} {', '.join(map(str, found.seeds))})"
    return (claim.paper, claim.says, by, *figures, seeds, f"**{found.word}**")


def _held_out(row: str, folder: Path | None) -> Ids | None:
    """The users that a row's runs held out; None where it was not measured."""
    kept = means.results(row, folder or places.FOLDER)
    return members(kept[0].said["held_out"]) if kept else None
