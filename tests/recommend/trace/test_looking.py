"""Traces against rankings and brute force: nothing that is told may differ from what is done."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Book, IdTable, Names, Queries, Vectors
from llmrec.lm.heads import Head
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.retrieve import Retrieve
from llmrec.lm.heads.trie import Trie
from llmrec.recommend.language import LanguageRecommender
from llmrec.recommend.popularity import Popularity
from llmrec.recommend.trace import looking, pieces, reading, verdict, whatif, whole
from llmrec.recommend.trace.beam import Beam
from llmrec.recommend.trace.reading import Template
from tests.lm import world
from tests.lm.test_trie import TITLES, _brute_force

M = 24
HEADS = ("trie", "items", "retrieve", "titles")
DEEP = IdTable(
    "deep", Names(np.stack(np.unravel_index(np.arange(M), (4, 3, 2)), 1).astype(np.int32), (Book("a", 4), Book("b", 3), Book("d", 2)))
)
CALLED = [f"Film {i}" for i in range(M)]


@functools.cache
def recommender(kind: str, beams: int = 3, seed: int = 0, max_items: int = 4) -> LanguageRecommender:
    """One small model behind each head; the sharper rows make likely names likely."""
    table = {"titles": world.text_table(TITLES), "deep": DEEP}.get(kind) or world.table(n_items=M)
    lm = world.model(table, seed=seed)
    lm.rows.new.data *= 8
    vectors = Vectors(np.zeros((0, 6), dtype=np.float32), np.random.default_rng(seed).standard_normal((M, 6)).astype(np.float32))
    vectors.items[5] = 0  # nothing is known of it
    head: Head = {"items": Items(), "retrieve": Retrieve(hidden=8)}.get(kind, Trie(beams=beams))
    head.equip(lm, vectors, seed)
    return LanguageRecommender(lm, table, head, head.compile(lm, table, vectors=vectors), max_items=max_items)


@pytest.mark.parametrize("kind", HEADS)
def test_a_model_in_training_is_looked_at_as_it_recommends(kind: str) -> None:
    model = recommender(kind, seed=3)
    modes: list[bool] = []
    hook = model.lm.register_forward_pre_hook(lambda lm, _: modes.append(lm.training))
    try:
        for ask in (
            lambda: looking.look(model, query([1, 2])),
            lambda: pieces.after(model, model.prompt(-1, np.asarray([1, 2], dtype=np.int32))),
            lambda: list(whatif.outcomes(model, query([1, 2]), 3)),
        ):
            model.lm.train()
            modes.clear()
            ask()
            assert modes and not any(modes) and model.lm.training
    finally:
        hook.remove()
        model.lm.eval()


def query(history: list[int], exclude: list[int] | None = None, user: int = -1) -> Queries:
    return Queries.of_history(history, exclude, user)


@pytest.mark.parametrize("kind", HEADS)
def test_the_list_is_the_recommenders_own(kind: str) -> None:
    model, asked = recommender(kind), query([1, 2, 3], user=-1)
    trace = looking.look(model, asked, target=4)
    ranked = model.recommend(asked, 5)
    k = min(5, len(trace.items))
    assert trace.items[:k].tolist() == ranked.items[0][:k].tolist() and np.array_equal(trace.scores[:k], ranked.scores[0][:k])
    assert not model.lm.training and trace.reading.ids == model.prompt(-1, [1, 2, 3])


def test_a_trie_whose_beam_keeps_all_has_one_ranking() -> None:
    model, gone = recommender("trie", beams=100), [7, 8]
    trace = looking.look(model, query([1, 2], gone), target=11)
    exact = _brute_force(model.lm, model.compiled, trace.reading.ids)
    exact[gone] = -np.inf
    assert trace.items.tolist() == np.argsort(-exact, kind="stable")[: M - 2].tolist()
    assert trace.ranks is not None and trace.place == trace.rank == int((exact > exact[11]).sum()) + 1
    assert trace.ranks[gone].tolist() == [0, 0] and trace.n_ranked == M - 2


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["trie", "deep"]),
    st.integers(1, 4),
    st.integers(0, M - 1),
    st.integers(0, 1),
    st.lists(st.integers(0, M - 1), max_size=6, unique=True),
)
def test_what_is_said_lost_is_lost_and_a_wider_beam_finds_it(kind: str, beams: int, target: int, seed: int, history: list[int]) -> None:
    model = recommender(kind, beams, seed)
    trace = looking.look(model, query(history), target)
    beam = trace.evidence
    assert isinstance(beam, Beam)
    if target in history:
        assert trace.barred and not beam.path and trace.place is None
        return
    exact = _brute_force(model.lm, model.compiled, trace.reading.ids)
    assert beam.path[-1].total == pytest.approx(exact[target], abs=1e-4)
    assert sum(pace.step for pace in beam.path) == pytest.approx(exact[target], abs=1e-4)
    assert (beam.lost is None) == (target in trace.items)
    if beam.lost is None:
        assert beam.needed is None and all(pace.kept for pace in beam.path)
        return
    pace, depth = beam.path[beam.lost - 1], beam.depths[beam.lost - 1]
    assert pace.rank is not None and pace.rank > beams and depth.n_open >= pace.rank
    assert pace.total <= depth.cut + 1e-4 and int(depth.kept.sum()) == beams
    assert beam.needed is not None
    wide = Trie(beams=beam.needed).rank(model.lm, model.compiled, [trace.reading.ids], M, (np.asarray(history, dtype=np.int64),))
    assert target in wide.items[0]
    assert target not in Trie(beams=pace.rank - 1).rank(model.lm, model.compiled, [trace.reading.ids], M).items[0] or beam.lost > 1


def test_the_width_that_is_needed_counts_later_pieces_too() -> None:
    """Lost at its first piece, a name may have more before it at the next."""
    model, longer, told, gone = recommender("deep", beams=1), 0, [1, 9], np.asarray([1, 9])
    ids = model.prompt(-1, told)
    for target in range(M):
        beam = looking.look(model, query(told), target).evidence
        assert isinstance(beam, Beam)
        if beam.lost is not None:
            assert beam.needed is not None
            found = [target in Trie(beams=w).rank(model.lm, model.compiled, [ids], M, (gone,)).items[0] for w in (beam.needed, 1)]
            assert found == [True, False]
            longer += beam.needed > (beam.path[beam.lost - 1].rank or 0)
    assert longer, "no name here is lost twice: the test would pass without the second count"


def test_a_name_that_ends_early_is_found_when_its_last_piece_is_offered() -> None:
    model = recommender("titles", beams=50)
    for target in range(len(TITLES)):
        trace = looking.look(model, query([]), target)
        assert isinstance(trace.evidence, Beam) and trace.evidence.lost is None and trace.place == trace.rank


@pytest.mark.parametrize("kind", ["items", "retrieve"])
def test_heads_that_score_all_have_places_for_all(kind: str) -> None:
    model = recommender(kind)
    trace = looking.look(model, query([2, 9]), target=4)
    assert trace.place == trace.rank and trace.ranks is not None
    known = [i for i in range(M) if i not in (2, 9) and not (kind == "retrieve" and i == 5)]
    assert sorted(trace.items.tolist()) == known and trace.n_ranked == len(known)
    scores = trace.evidence.cosines if isinstance(trace.evidence, whole.Nearness) else trace.evidence.log_p  # type: ignore[union-attr]
    np.testing.assert_array_equal(scores[trace.items], trace.scores)


def test_an_item_of_which_nothing_is_known_is_never_found() -> None:
    model = recommender("retrieve")
    trace = looking.look(model, query([2]), target=5)
    assert trace.place is None and trace.rank is None
    assert verdict.verdict(trace, CALLED, model.lm.vocab).fate == "unknown"


def test_what_pieces_give_sums_to_the_logit() -> None:
    model = recommender("items")
    trace = looking.look(model, query([1]))
    found = trace.evidence
    assert isinstance(found, whole.Multinomial)
    logits = [sum(part for _, part in whole.shares(model, found, item)) for item in range(M)]
    np.testing.assert_allclose(np.asarray(logits) - np.logaddexp.reduce(logits), found.log_p, atol=1e-4)
    rows = [row for row, _ in whole.shares(model, found, 3)]
    assert rows == [model.lm.vocab.row[str(p)] for p in model.table.items.spell(3)]


def test_the_plane_keeps_what_is_flat_already() -> None:
    units = np.eye(4, 6, dtype=np.float32)
    near = whole.Nearness(units[0], units, units @ units[0])
    query_, places = near.plane([0, 1])
    assert np.linalg.norm(places[0] - places[1]) == pytest.approx(np.sqrt(2), abs=1e-5)
    assert np.linalg.norm(query_ - places[0]) == pytest.approx(0, abs=1e-5)
    assert near.mean == pytest.approx(0.25)


@pytest.mark.parametrize("kind", HEADS)
def test_the_next_piece_is_one_distribution_and_its_allowed_part(kind: str) -> None:
    model = recommender(kind)
    ids = model.prompt(-1, [1, 3])
    found = pieces.after(model, ids)
    assert len(found.log_p) == model.lm.vocab.size
    assert np.exp(found.log_p).sum() == pytest.approx(1, abs=1e-4) and np.exp(found.chosen).sum() == pytest.approx(1, abs=1e-4)
    assert found.allowed.tolist() == sorted({int(model.compiled.names[i][0]) for i in range(len(model.compiled.names))})
    assert found.legal == pytest.approx(np.exp(found.log_p[found.allowed]).sum(), abs=1e-4)
    with torch.no_grad():
        state = model.lm(torch.tensor([ids]))[0, -1]
        every = state @ model.lm.rows.outputs(torch.arange(model.lm.vocab.size)).T
    np.testing.assert_allclose(found.log_p, every.log_softmax(0).numpy(), atol=1e-4)
    likeliest = found.top(3)
    assert likeliest == torch.topk(every, 3).indices.tolist()
    assert found.tokens == pytest.approx(float(every.softmax(0)[model.lm.vocab.first :].sum()), abs=1e-4)


def test_deeper_pieces_follow_the_tree() -> None:
    model = recommender("trie")
    ids, name = model.prompt(-1, [1]), model.compiled.names[7]
    found = pieces.after(model, ids, (int(name[0]),))
    mates = [i for i in range(M) if model.compiled.names[i][0] == name[0]]
    assert pieces.leads_to(model, (int(name[0]),)).tolist() == mates
    assert found.allowed.tolist() == sorted(int(model.compiled.names[i][1]) for i in mates)
    beam = looking.look(model, query([1], []), target=7).evidence
    assert isinstance(beam, Beam)
    at = found.allowed.tolist().index(int(name[1]))
    assert found.chosen[at] == pytest.approx(beam.path[1].step, abs=1e-4)
    with pytest.raises(ValueError, match="complete"):
        pieces.after(model, ids, tuple(int(i) for i in name))
    with pytest.raises(ValueError, match="no item's name begins"):
        pieces.after(model, ids, (3,))
    with pytest.raises(ValueError, match="spells nothing"):
        pieces.after(recommender("items"), ids, (int(name[0]),))


@pytest.mark.parametrize("kind", HEADS)
def test_what_if_begins_with_what_is_and_changes_one_thing(kind: str) -> None:
    model, history = recommender(kind, beams=100), [1, 2, 3, 6]
    found = list(whatif.outcomes(model, query(history), 4))
    assert found[0].rank == looking.look(model, query(history), 4).rank
    assert [o.variant.without for o in found] == [-1, 6, 3, 2, 1, -1, -1]
    assert [o.variant.history.tolist() for o in found[1:3]] == [[1, 2, 3], [1, 2, 6]] and found[5].variant.history.tolist() == [6, 3, 2, 1]
    for one in found:
        assert one.first not in history, "what was taken out of the prompt is not offered again"
        other = looking.look(model, query(one.variant.history.tolist(), history), 4)
        assert (one.rank, one.first) == (other.rank, int(other.items[0]))
    assert [v.what for v in whatif.variants(np.asarray([3]))] == ["as it is", "without"]


def test_classical_recommenders_read_no_prompt() -> None:
    fitted = Popularity().fit(world.split().train, np.random.default_rng(0))
    with pytest.raises(ValueError, match="reads no prompt"):
        looking.look(fitted, query([1]))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 2.0]), min_size=1, max_size=12))
def test_ranks_count_who_is_before(scores: list[float]) -> None:
    m = len(scores)
    ties = np.random.default_rng(m).permutation(m)
    gone = np.asarray([0])
    found = looking.ranks(np.asarray(scores), gone, ties)
    place = {int(item): at for at, item in enumerate(ties)}
    for item in range(m):
        if item == 0 or scores[item] == -np.inf:
            assert found[item] == 0
        else:
            before = [i for i in range(1, m) if scores[i] > scores[item] or (scores[i] == scores[item] and place[i] < place[item])]
            assert found[item] == len(before) + 1


def test_templates_by_key() -> None:
    assert reading.template("sequential", "3") == Template(3) and reading.template("recft", "unseen-0") == Template(0, unseen=True)
    assert reading.templates("recft")[Template(0)].endswith("will interact with:")
    with pytest.raises(ValueError, match="unseen-0"):
        reading.template("sequential", "17")
