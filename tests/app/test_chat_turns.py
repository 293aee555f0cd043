"""Fair turns, with a clock that tests move and events that tests release: who goes next, and that every turn comes back."""

from __future__ import annotations

import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from app.chat import cores
from app.chat.turns import CREDIT, Turns

SOON = 20.0  # seconds after which a test that hangs fails


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched(Turns):
    """Turns whose waiters a test can wait for."""

    def __init__(self, slots: int, clock: Clock) -> None:
        super().__init__(slots, clock)
        self.changed = threading.Condition(self._lock)

    def _call(self) -> None:
        super()._call()
        self.changed.notify_all()

    def until(self, who: str, n: int = 1) -> None:
        """Come back once n sides of somebody wait."""
        with self.changed:
            assert self.changed.wait_for(lambda: [w.visitor for w in self._waiting].count(who) >= n, SOON), f"{who} never waited"


class Party:
    """Sides of visitors that all wait behind one held turn, and then compute one step each time they are called; `order` tells who did."""

    def __init__(self, slots: int = 1) -> None:
        self.clock = Clock()
        self.turns = Watched(slots, self.clock)
        self.order: list[str] = []
        self.threads: list[threading.Thread] = []
        self.lock = threading.Lock()

    def side(self, who: str, steps: int, cost: Callable[[], float] = lambda: 1.0) -> None:
        """A visitor's answer of some steps, each taking so many seconds of the clock; it returns once the side waits."""

        def events() -> Iterator[int]:
            for n in range(steps):
                with self.lock:
                    self.order.append(who)
                    self.clock.now += cost()
                yield n

        def consume() -> None:
            assert list(self.turns.taken(who, events())) == list(range(steps))

        n = self.turns.waiting.count(who) + 1
        thread = threading.Thread(target=consume, daemon=True)
        self.threads.append(thread)
        thread.start()
        self.turns.until(who, n)

    def end(self) -> None:
        for thread in self.threads:
            thread.join(SOON)
            assert not thread.is_alive()


def test_values_and_their_end_are_passed_on() -> None:
    assert list(Turns(2).taken("a", iter([1, 2, 3]))) == [1, 2, 3]
    with pytest.raises(ValueError, match="slots = 0"):
        Turns(0)


def test_four_sides_of_one_do_not_starve_the_one_side_of_another() -> None:
    party = Party()
    with party.turns.turn("host"):
        for _ in range(4):
            party.side("greedy", 8)
        party.side("modest", 8)
    party.end()
    for n in range(1, 17):  # while both are at it, each gets every other second, a step more or less
        begun = Counter(party.order[:n])
        assert abs(begun["greedy"] - begun["modest"]) <= 2, party.order
    assert Counter(party.order) == {"greedy": 32, "modest": 8}


def test_ten_visitors_of_four_sides_each_are_all_served_alike() -> None:
    party = Party(slots=2)
    names = [f"v{n}" for n in range(10)]
    with party.turns.turn("host"), party.turns.turn("host"):
        for name in names:
            for _ in range(4):
                party.side(name, 3)
    party.end()
    assert Counter(party.order) == dict.fromkeys(names, 12)
    for n in range(0, 120, 10):
        begun = Counter({**dict.fromkeys(names, 0), **Counter(party.order[:n])})
        assert max(begun.values()) - min(begun.values()) <= 3, party.order


def test_it_is_time_that_counts_and_not_how_often() -> None:
    party = Party()
    with party.turns.turn("host"):
        for _ in range(2):  # so that somebody of each always waits
            party.side("slow", 5, lambda: 4.0)
            party.side("quick", 20, lambda: 1.0)
    party.end()
    for n in range(10, 41, 5):
        begun = Counter(party.order[:n])
        assert abs(4 * begun["slow"] - begun["quick"]) <= 8, party.order


def test_what_was_had_before_anybody_came_does_not_count_for_ever() -> None:
    """Somebody who talked alone for an hour meets a newcomer: the newcomer goes first for CREDIT seconds, not for an hour."""
    party = Party()
    old = party.turns.taken("old", _costly(party, [3600.0, *[1.0] * 6]))
    next(old)
    next(old)
    with party.turns.turn("host"):
        for _ in range(2):  # so that one of them always waits
            party.side("new", 8)
        rest = threading.Thread(target=lambda: [party.order.append("old") for _ in old], daemon=True)
        party.threads.append(rest)
        rest.start()
        party.turns.until("old")
    party.end()
    assert "old" in party.order[: int(CREDIT) + 3], party.order


def _costly(party: Party, costs: list[float]) -> Iterator[int]:
    for n, cost in enumerate(costs):
        party.clock.now += cost
        yield n


def test_no_more_compute_at_once_than_there_are_slots_and_as_many_do() -> None:
    turns, lock, most, now = Turns(3), threading.Lock(), [0], [0]
    together = threading.Barrier(3, timeout=SOON)

    def events() -> Iterator[int]:
        for n in range(4):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            together.wait()  # passes only if three are inside at once
            with lock:
                now[0] -= 1
            yield n

    threads = [threading.Thread(target=lambda: list(turns.taken("v", events())), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
        assert not thread.is_alive()
    assert most[0] == 3


@pytest.mark.parametrize("way", ["closed", "dropped", "broken", "refused"])
def test_who_leaves_gives_the_turn_back(way: str) -> None:
    turns, over = Turns(1), []

    def events() -> Iterator[int]:
        try:
            if way == "refused":
                raise KeyError("at once")
            yield 1
            raise KeyError("later")
        finally:
            over.append(True)

    inner = events()  # held, so that nothing but the turns can close it
    answer = turns.taken("a", inner)
    if way == "refused":
        with pytest.raises(KeyError, match="at once"):
            next(answer)
    else:
        assert next(answer) == 1
    if way == "closed":
        answer.close()  # type: ignore[attr-defined]
    elif way == "broken":
        with pytest.raises(KeyError, match="later"):
            next(answer)
    elif way == "dropped":
        del answer
        gc.collect()
    assert over == [True]
    assert list(turns.taken("b", iter([1, 2]))) == [1, 2] and turns.waiting == ()
    assert not turns._open and not turns._had and not turns._computing


def test_a_turn_is_not_held_between_two_words() -> None:
    turns = Turns(1)
    reader = turns.taken("slow reader", iter([1, 2]))
    assert next(reader) == 1
    assert list(turns.taken("other", iter([1, 2]))) == [1, 2]
    assert list(reader) == [2]


def test_cores_are_divided_and_never_more_than_there_are() -> None:
    assert cores.shares(1) == (1, 1) and cores.shares(2) == (2, 1) and cores.shares(4) == (4, 1)
    assert cores.shares(8) == (4, 2) and cores.shares(64) == (16, 4)
    assert all(at_once * each <= n for n in range(1, 130) for at_once, each in [cores.shares(n)])
    assert cores.shares()[0] >= 1


def test_only_the_thread_that_computes_is_bound() -> None:
    import torch

    seen: dict[str, int] = {}

    def alone(name: str, act: Callable[[], object]) -> None:
        def run() -> None:
            act()
            seen[name] = torch.get_num_threads()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(SOON)

    here = torch.get_num_threads()
    alone("before", lambda: torch.set_num_threads(3))
    try:
        alone("bound", lambda: cores.bound(1))
        alone("after", lambda: None)
    finally:
        alone("restored", lambda: torch.set_num_threads(here))
    assert seen == {"before": 3, "bound": 1, "after": 3, "restored": here} and torch.get_num_threads() == here
