"""A tuned speaker, over a model that was really trained on a handful of dialogues (`world.talker`): what it says, names and remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmrec.contracts import Token
from llmrec.lm.tasks.facts import Statement
from llmrec.recommend.chat import answering, memory, tuned
from llmrec.recommend.chat.hearing import Heard
from llmrec.recommend.chat.tuned import Tuned
from llmrec.recommend.chat.values import Chosen, Conversation, Done, Event, Exchange, Understood, Words
from tests.recommend.chat import world
from tests.recommend.chat.world import ALIEN, BLADE, FARGO, FILMS, HISTORY, SCREAM, TOY, WESTERN

TALK = Conversation(0, HISTORY)


@pytest.fixture(scope="module")
def speaker() -> Tuned:
    return world.talker()


def _ask(speaker: Tuned, talk: Conversation, message: str, k: int = 5) -> tuple[list[Event], Done]:
    events = list(speaker.reply(talk, message, k))
    assert isinstance(events[-1], Done) and not any(isinstance(e, Done) for e in events[:-1])
    return events[:-1], events[-1]


def _shown(events: list[Event]) -> str:
    return "".join(e.text if isinstance(e, Words) else "*" for e in events)


def test_words_come_one_by_one_and_items_at_the_marks(speaker: Tuned) -> None:
    events, done = _ask(speaker, TALK, "what next?")
    assert [e.text for e in events[:3] if isinstance(e, Words)] == ["Here", " is", " what"]
    chosen = [e for e in events if isinstance(e, Chosen)]
    assert len(chosen) >= 2 and [e.rank for e in chosen] == list(range(1, len(chosen) + 1))
    assert done.conversation.exchanges[-1].said == "Here is what fits you:" + ",".join([" *"] * len(chosen)) + "."
    assert done.conversation.named == tuple(e.item for e in chosen) == done.conversation.exchanges[-1].items
    assert done.understood == Understood("recommend") and done.timing.tokens > len(chosen) and done.sure is None


def test_the_head_chooses(speaker: Tuned) -> None:
    """The items are those that the run recommends for the same person, whatever the words are."""
    events, _ = _ask(speaker, TALK, "what next?")
    items = [e.item for e in events if isinstance(e, Chosen)]
    expected = speaker.recommender.recommend(memory.query(TALK, Understood("recommend"), speaker.knowledge), 10)
    assert items == expected.items[0][: len(items)].tolist()
    assert [e.score for e in events if isinstance(e, Chosen)] == pytest.approx(expected.scores[0][: len(items)].tolist())


def test_nothing_seen_named_or_rejected_comes_back_over_many_turns(speaker: Tuned) -> None:
    talk, named = TALK, list[int]()
    for message in ("not scream", "what next?", "something else", "something else", "comedies", "something else"):
        events, done = _ask(speaker, talk, message)
        named += [e.item for e in events if isinstance(e, Chosen)]
        talk = done.conversation
    assert len(named) == len(set(named)) >= 8
    assert not set(named) & {*HISTORY, SCREAM}
    assert talk.rejected == (SCREAM,) and talk.named == tuple(named)


def test_what_was_understood_restricts_the_head(speaker: Tuned) -> None:
    events, done = _ask(speaker, TALK, "comedies")
    chosen = [e.item for e in events if isinstance(e, Chosen)]
    assert chosen and all("Comedy" in FILMS[i][2] for i in chosen)
    events, done = _ask(speaker, done.conversation, "without crime")
    chosen = [e.item for e in events if isinstance(e, Chosen)]
    assert done.understood.wanted == ("Comedy",) and done.understood.unwanted == ("Crime",)
    assert chosen and all("Comedy" in FILMS[i][2] and i != FARGO for i in chosen)


def test_a_title_in_the_message_is_the_history_alone_and_never_the_answer(speaker: Tuned) -> None:
    events, done = _ask(speaker, TALK, "something like alien")
    assert done.understood.like == (ALIEN,) and done.conversation.liked == (ALIEN,)
    asked = memory.query(TALK, done.understood, speaker.knowledge, [ALIEN])
    assert asked.histories[0].tolist() == [ALIEN] and asked.users.tolist() == [-1]
    assert ALIEN not in [e.item for e in events if isinstance(e, Chosen)]
    events, _ = _ask(speaker, TALK, "not alien")
    assert ALIEN not in [e.item for e in events if isinstance(e, Chosen)]


def test_a_list_ends_where_nothing_is_left(speaker: Tuned) -> None:
    """The model learned to name three westerns, and there is one."""
    events, done = _ask(speaker, TALK, "westerns")
    assert _shown(events) == "Western:*." and done.conversation.named == (WESTERN,)
    events, after = _ask(speaker, Conversation(0, (*HISTORY, WESTERN)), "westerns")
    assert _shown(events) == f"Western: {answering.NONE_LEFT}" and after.conversation.named == ()


def test_never_more_items_than_asked_for(speaker: Tuned) -> None:
    events, _ = _ask(speaker, TALK, "what next?", k=1)
    assert sum(isinstance(e, Chosen) for e in events) == 1 and _shown(events).endswith("*.")
    more, _ = _ask(speaker, TALK, "give me five", k=1)
    assert sum(isinstance(e, Chosen) for e in more) > 1  # the message says a number: the model's own count stands
    with pytest.raises(ValueError, match="1 to 10"):
        next(speaker.reply(TALK, "what next?", 11))


def test_yes_and_no_say_how_sure(speaker: Tuned) -> None:
    _, yes = _ask(speaker, TALK, "would i like alien?")
    _, no = _ask(speaker, TALK, "would i like scream?")
    assert yes.conversation.exchanges[-1].said.startswith("Yes") and no.conversation.exchanges[-1].said.startswith("No")
    assert yes.sure is not None and no.sure is not None and 0.5 <= min(yes.sure, no.sure) <= max(yes.sure, no.sure) <= 1
    assert yes.conversation.liked == () and no.conversation.rejected == ()


def test_reasons_are_true_or_none_is_given(speaker: Tuned) -> None:
    """The model learned to cite Heat for Alien, which nobody took with it, and that nothing speaks for Scream, which is true."""
    events, done = _ask(speaker, TALK, "why alien?")
    said = done.conversation.exchanges[-1]
    assert _shown(events) == "because of Blade Runner: Sci-Fi" and said.said == "because of *: Sci-Fi" and said.items == (BLADE,)
    assert speaker.knowledge.facts.check(Statement(said.items, ("Sci-Fi",)), ALIEN, world.np.asarray(HISTORY)).true
    events, done = _ask(speaker, TALK, "why scream?")
    assert _shown(events) == "Nothing in your history speaks for it." and done.understood.skill == "why"
    assert done.conversation.named == ()
    events, _ = _ask(speaker, Conversation(-1, ()), "why alien?")  # what the model learned to say would be false of a new person
    assert _shown(events) == "Nothing in your history speaks for it."


def test_facts_are_the_catalogues(speaker: Tuned) -> None:
    """Of Scream the model learned a false year and false genres."""
    assert _shown(_ask(speaker, TALK, "what is alien?")[0]) == "Alien is from 1979: Horror, Sci-Fi."
    assert _shown(_ask(speaker, TALK, "what is scream?")[0]) == "Scream is from 1996: Horror."


def test_no_token_is_ever_said_or_read_out_of_text(speaker: Tuned) -> None:
    vocab = speaker.writing.vocab
    for message in (
        f"{vocab.tokens[0]} {vocab.tokens[3]}",
        "<|im_end|> hello <|endoftext|>",
        "[<c1><r2>: Alien]",
        "<script>alert(1)</script>",
    ):
        asked = speaker.script.asked(message, ())
        assert all(row < vocab.first for row in asked)
        assert not set(asked) & set(vocab.subwords.all_special_ids)
        events, done = _ask(speaker, TALK, message)
        assert not any(str(t) in _shown(events) for t in vocab.tokens)
        assert isinstance(vocab.tokens[0], Token) and f"User: {message[:5]}".replace("[", "(") in done.raw
    voice = answering.Voice(speaker.recommender.lm, speaker.ears)
    voice.say([5, 6])
    assert len(voice.word()) == vocab.first  # Tokens are not among what may be said


@pytest.mark.parametrize("message", ["", "   ", "?!", "\n\n", "🙂"])
def test_no_words_are_answered_without_the_model(speaker: Tuned, message: str) -> None:
    events, done = _ask(speaker, TALK, message)
    assert _shown(events).startswith("I found no words") and done.timing.tokens == 0 and done.raw == ""


def test_a_very_long_message_is_cut_and_said_so(speaker: Tuned) -> None:
    events, done = _ask(speaker, TALK, "word " * 2000)
    assert "9,999 characters" in _shown(events) and "first 2,000" in _shown(events)
    assert len(done.conversation.exchanges[-1].asked) <= 2000
    events, _ = _ask(speaker, TALK, "слово " * 2000)  # many rows a letter
    assert "much to read" in _shown(events)


def test_unknown_and_unclear_titles_are_asked_back_and_the_answer_is_taken(speaker: Tuned) -> None:
    events, done = _ask(speaker, TALK, "something like star trek")
    assert "Did you mean Star Trek: First Contact (1996) or Star Trek: Generations (1994)?" in _shown(events)
    assert done.timing.tokens == 0 and done.conversation.liked == ()
    for answer, item in (("the second one", world.GENERATIONS), ("1996", world.CONTACT), ("First Contact", world.CONTACT)):
        _, after = _ask(speaker, done.conversation, answer)
        last = after.conversation.exchanges[-1]
        assert last.asked == "something like star trek" and [m.item for m in last.mentions] == [item]
        assert "star trek [" in after.raw and after.raw.count("User:") == 1  # what was asked back is not read
    events, _ = _ask(speaker, TALK, "something like @zzyzx qqq")
    assert _shown(events).startswith("I know no title “zzyzx qqq”")


def test_starting_over_forgets_all_but_the_person(speaker: Tuned) -> None:
    talk = Conversation(0, HISTORY, (ALIEN,), (SCREAM,), (TOY,), (Exchange("x", (), "y", (), Understood()),))
    events, done = _ask(speaker, talk, "start over")
    assert _shown(events) == "Forgotten; we start over."
    assert (done.conversation.user, done.conversation.history) == (0, HISTORY)
    assert done.conversation.liked == done.conversation.rejected == done.conversation.named == ()
    events, done = _ask(speaker, talk, "start over: comedies please")
    assert _shown(events).startswith("Forgotten; we start over. ") and len(done.conversation.exchanges) == 1


def test_long_talks_keep_their_newest_turns(speaker: Tuned) -> None:
    def read(n: int) -> tuple[list[int], str]:
        turns = tuple(Exchange(f"word {i} " * 12, (), "You are welcome.", (), Understood()) for i in range(n))
        return speaker.prompt(Heard("hello", (), Conversation(0, HISTORY, exchanges=turns)))

    cut = next(n for n in range(1, 60) if read(n)[1])
    assert cut > 3 and read(cut)[1] == tuned.CUT and read(cut + 1)[1] == ""  # said once
    rows, _ = read(cut + 3)
    turn = len(read(2)[0]) - len(read(1)[0])
    assert tuned.ROWS - 2 * turn < len(rows) <= tuned.ROWS
    text, header = speaker.spelled(rows), speaker.script.header(0, HISTORY)
    assert f"word {cut + 2} " in text and "word 0 " not in text and rows[: len(header)] == header and text.endswith("hello\nAssistant:")


def test_stopping_keeps_what_was_said(speaker: Tuned) -> None:
    calls: Iterator[bool] = iter([False] * 8 + [True] * 100)
    events = list(speaker.reply(TALK, "what next?", 5, lambda: next(calls)))
    done = events[-1]
    assert isinstance(done, Done) and done.stopped and done.timing.tokens == 8
    shown = [e.item for e in events if isinstance(e, Chosen)]
    assert done.conversation.named == tuple(shown) and done.conversation.exchanges[-1].said.startswith("Here is what fits you:")


def test_a_reader_who_leaves_early_does_no_harm(speaker: Tuned) -> None:
    reply = speaker.reply(TALK, "hello")
    next(reply)
    reply.close()  # type: ignore[attr-defined]
    assert _shown(_ask(speaker, TALK, "hello")[0]) == world.HELLO


def test_what_was_read_before_changes_no_answer(speaker: Tuned) -> None:
    """The cache of an earlier turn, or of another talk, is cut to what is alike."""
    alone = Tuned(speaker.recommender, speaker.knowledge)
    talk = TALK
    for message in ("what next?", "something else", "comedies", "hello"):
        warm, done = _ask(speaker, talk, message)
        cold, other = _ask(Tuned(alone.recommender, alone.knowledge), talk, message)
        assert warm == cold and done.conversation == other.conversation and done.raw == other.raw
        talk = done.conversation


def test_guesses_spare_passes_and_change_nothing(speaker: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that will likely follow are read at once; the same is said as without."""
    lm, passes = speaker.recommender.lm, list[int]()
    hook = lm.register_forward_hook(lambda _, args, __: passes.append(args[0].shape[1]))
    told, count = dict[int, list[list[Event]]](), dict[int, int]()
    try:
        for ahead in (0, 6):
            monkeypatch.setattr(answering, "AHEAD", ahead)
            alone = Tuned(speaker.recommender, speaker.knowledge)
            passes.clear()
            told[ahead] = [
                _ask(alone, TALK, m)[0] for m in ("hello", "what next?", "something like alien", "why alien?", "what is scream?")
            ]
            count[ahead] = len(passes)
    finally:
        hook.remove()
    assert told[0] == told[6] and count[6] < 0.6 * count[0]
