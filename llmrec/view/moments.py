"""META ID's space at several moments of its training: where users and items stand after so many walks, on one plane.

Where it stands: after the walks, before `forming`, which draws it. What it does not know: names, titles, figures.

The training is a real one, of the library's own walks by gensim's skip-gram with the settings given, but short: it reads each walk once.
The plane is that of the last moment, so that a point moves only because its vector did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec import progress
from llmrec.contracts import Floats, Interactions
from llmrec.embed.metapath import MetaPath, walks
from llmrec.view.neighbours import unit

SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)  # of the walks: most happens early
MOST = 60_000  # walks that are read
PAIRS = 20_000


@dataclass(frozen=True)
class Moments:
    """Users and items at each moment.

    shares: (t,) float32 of the walks that were read; walks: how many there are; users: (t, n, 2) float32; items: (t, m, 2) float32, NaN
    for who has no interaction; taken, chance: (t,) float32, the mean cosine of people and an item they took, and of people and any item.
    """

    shares: Floats
    walks: int
    users: Floats
    items: Floats
    taken: Floats
    chance: Floats


def watch(settings: MetaPath, train: Interactions, rng: np.random.Generator, shares: tuple[float, ...] = SHARES) -> Moments:
    """Train on the walks in one pass, and stop at each share to look. shares: ascending, the last is 1."""
    nodes = train.n_users + train.n_items
    paths = walks(train, settings.walk_length, max(1, min(settings.walks_per_node, MOST // max(1, nodes))), rng)
    rng.shuffle(paths)
    paths = paths[:MOST]
    looks = [unit(_centred(seen, train.n_users)) for seen in _trained(settings, paths, shares, nodes, int(rng.integers(2**31)))]
    known = looks[-1].any(axis=1)
    plane = _plane(looks[-1][known])
    flat = np.full((len(shares), nodes, 2), np.nan, dtype=np.float32)
    for at, look in enumerate(looks):
        flat[at, known] = look[known] @ plane
    rows = np.sort(rng.choice(len(train), min(PAIRS, len(train)), replace=False))
    user, item = train.user[rows], train.n_users + train.item[rows]
    other = train.n_users + rng.choice(np.unique(train.item), len(rows))
    cosines = [[float(np.einsum("nd,nd->n", look[user], look[to]).mean()) for look in looks] for to in (item, other)]
    taken, chance = (np.asarray(c, dtype=np.float32) for c in cosines)
    return Moments(np.asarray(shares, dtype=np.float32), len(paths), flat[:, : train.n_users], flat[:, train.n_users :], taken, chance)


def _trained(settings: MetaPath, paths: NDArray[np.int32], shares: tuple[float, ...], nodes: int, seed: int) -> Iterator[Floats]:
    """The vectors at each share: (nodes, d), zeros for who is on no walk. The rate falls along the whole way, as in one training."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=settings.d,
        window=settings.window,
        negative=settings.negatives,
        sample=settings.subsample / len(np.unique(paths)),
        sg=1,
        min_count=1,
        workers=1,
        seed=seed,
    )
    words = [str(node) for node in range(nodes)]
    sentences = [[words[node] for node in path] for path in paths.tolist()]
    progress.say("skip-gram", 0, len(sentences))
    counts = np.bincount(paths.ravel(), minlength=nodes)
    model.build_vocab_from_freq({words[node]: int(counts[node]) for node in np.flatnonzero(counts)}, corpus_count=len(sentences))
    index = [int(word) for word in model.wv.index_to_key]
    ends = [round(share * len(sentences)) for share in shares]
    rate = [0.025 - share * (0.025 - 0.0001) for share in shares]
    begin = 0
    for at, end in enumerate(ends):
        if end > begin:
            first = rate[at - 1] if at else 0.025
            model.train(sentences[begin:end], total_examples=end - begin, epochs=1, start_alpha=first, end_alpha=rate[at])
            begin = end
        progress.say("skip-gram", end, len(sentences))
        vectors = np.zeros((nodes, settings.d), dtype=np.float32)
        vectors[index] = model.wv.vectors
        yield vectors


def _centred(vectors: Floats, n_users: int) -> Floats:
    """Each side without its mean, as META ID's vectors are; rows of zeros stay zero."""
    known = vectors.any(axis=1)
    out = vectors.copy()
    for side in (np.arange(len(out)) < n_users, np.arange(len(out)) >= n_users):
        if (side & known).any():
            out[side & known] -= out[side & known].mean(axis=0)
    return out


def _plane(rows: Floats) -> Floats:
    """(d, 2): the two directions of greatest spread, each with its largest entry positive, since its sign is arbitrary."""
    _, _, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    plane = directions[:2]
    strongest = np.abs(plane).argmax(axis=1)
    signed: Floats = (plane * np.sign(plane[np.arange(len(plane)), strongest])[:, None]).T.astype(np.float32)
    return signed
