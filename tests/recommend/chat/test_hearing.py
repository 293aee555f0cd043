"""What a message is before it is answered: cut, counted, asked back, forgotten; and that talk is not taken for titles."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Dataset
from llmrec.lm.dialogue import asking
from llmrec.recommend.chat import hearing
from llmrec.recommend.chat.hearing import hear
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.mentions import Mentions
from llmrec.recommend.chat.values import Conversation, Exchange, Mention, Understood
from tests.recommend.chat import world
from tests.recommend.chat.world import ALIEN, FARGO, HEAT, TOY


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return Knowledge(world.catalog(), world.train())


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("give me five", 5),
        ("3 comedies", 3),
        ("one film please", 1),
        ("that one", 0),
        ("another one", 0),
        ("films from the 80s", 0),
        ("comedies of 1995", 0),
        ("15 of them", 10),
        ("a few thrillers", 3),
        ("0 films", 1),
        ("nothing in particular", 0),
        ("100 % fun", 0),
        ("<script>alert(1)</script>", 0),
        ("what is 2 + 2?", 0),
        ("3x = 9", 0),
        ("(3 films)", 3),
    ],
)
def test_how_many_a_message_wants(text: str, n: int) -> None:
    assert hearing.number(text, ()) == n


def test_digits_in_titles_are_no_numbers() -> None:
    text = "something like 12 Monkeys"
    assert hearing.number(text, ()) == 10 and hearing.number(text, [Mention("12 Monkeys", 3, (), 15)]) == 0


def test_a_place_in_the_last_answer_is_pointed_at(knowledge: Knowledge) -> None:
    named = Exchange("what next?", (), "Here is what fits you: *, *.", (FARGO, HEAT), Understood("recommend"))
    why = Exchange("why?", (), "because of *: Crime", (TOY,), Understood("why"))  # cited, not named
    heard = hear(knowledge, Conversation(exchanges=(named, why)), "what is the second one?")
    assert [m.item for m in heard.mentions] == [HEAT] and heard.text[heard.mentions[0].start :].startswith("the second one")
    assert hear(knowledge, Conversation(exchanges=(named,)), "why?").mentions[0].item == FARGO
    assert [m.item for m in hear(knowledge, Conversation(exchanges=(named,)), "is alien like the second one?").mentions] == [ALIEN]


def test_one_unknown_title_among_others_is_told_and_left(knowledge: Knowledge) -> None:
    heard = hear(knowledge, Conversation(), "I liked Alien and @qqq")
    assert heard.answer is None and heard.notice == "I know no title “qqq”. I go by the others. "
    assert [m.item for m in heard.mentions] == [ALIEN, None]


def test_what_somebody_typed_is_quoted_in_short(knowledge: Knowledge) -> None:
    heard = hear(knowledge, Conversation(), f"@{'zq' * 35}")
    assert heard.answer is not None and len(heard.answer) < 100


def test_mentions_that_lie_over_each_other_are_sorted_out() -> None:
    text = "abcdef"
    kept = hearing.standing(text, [Mention("cd", 1, (), 2), Mention("bcd", 2, (), 1), Mention("ef", 3, (), 4), Mention("xx", 4, (), 0)])
    assert [m.item for m in kept] == [2, 3]


def test_any_message_is_heard(knowledge: Knowledge) -> None:
    rng = np.random.default_rng(0)
    letters = list("aAlienHeat @\"“”'’.,;:!?[](){}<>|\\/*_-#%&0123456789 \t\né漢🙂\u202e\x00\x1b")
    for _ in range(300):
        heard = hear(knowledge, Conversation(), "".join(rng.choice(letters, size=int(rng.integers(0, 60)))))
        assert all(heard.text[m.start : m.start + len(m.text)] == m.text for m in heard.mentions)


def test_titles_of_one_word_in_small_letters_are_heard_in_all_phrasings(ml100k: Dataset) -> None:
    """Wherever people ask about a title, those of training and the others; but not where the same word is part of talk."""
    mentions, n = Mentions(ml100k.catalog, ml100k.interactions), 0
    rest = {"k": "4", "year": "1987", "things": "films", "thing": "film", "see": "watch", "attribute": "comedies", "kind": "comedy"}
    for way in asking.ways():
        for template in (*asking.phrasings(way), *asking.phrasings(way, unseen=True)):
            if "{title" not in template:
                continue
            text = asking.settled(template, np.random.default_rng(n))
            text = text.format(**rest, title="fargo", other="scream", titles="fargo, scream or casino", without="horror")
            n += 1
            assert [m.text for m in mentions.find(text)] == [t for t in ("fargo", "scream", "casino") if t in text], text
    assert n > 150
    for talk in ("I trust you", "Trust me", "turn up the heat", "my friend michael said so", "I want to scream", "driving at high speed"):
        assert mentions.find(talk) == (), talk


def test_talk_is_not_taken_for_titles(ml100k: Dataset) -> None:
    """Of the phrasings that name no title, over MovieLens; those of phrasings.toml that are unseen in training too."""
    mentions, tongue = Mentions(ml100k.catalog, ml100k.interactions), asking.Tongue(Knowledge(ml100k.catalog, ml100k.interactions).language)
    rng, wrong, asked = np.random.default_rng(0), list[str](), 0
    words = sorted({a for row in Knowledge(ml100k.catalog, ml100k.interactions).language.attributes for a in row})
    for way in asking.ways():
        for template in (*asking.phrasings(way)[:14], *asking.phrasings(way, unseen=True)):
            if "{title" in template or "{other" in template:
                continue
            wanted = [str(rng.choice(words))]
            filler = {
                "k": "4", "year": "1987", "things": tongue.thing(rng), "thing": tongue.thing(rng, False), "see": tongue.see(rng),
                "attribute": tongue.things(wanted, rng), "kind": tongue.kind(wanted, rng), "without": tongue.matter(wanted[0], rng),
            }  # fmt: skip
            text = template.format(**filler)
            asked += 1
            wrong += [text] if mentions.find(text) else []
    assert asked > 150 and len(wrong) <= asked // 50, wrong
