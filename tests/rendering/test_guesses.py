"""Whose guess is drawn next, and who has gone elsewhere."""

from types import SimpleNamespace

from render_service.rendering.guesses import GONE_S, SHOPPERS_MAX, Guesses
from tests.rendering.builders import key


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def pictures(shopper, count=3):
    return (SimpleNamespace(key=f"{shopper}{place}", plan=None) for place in range(count))


def taken(guesses):
    return [planned.key for planned in iter(guesses.take, None)]


def test_the_likeliest_of_each_comes_before_the_second_of_any_the_latest_first():
    guesses = Guesses()
    guesses.add(key("a"), pictures("a", 2))
    guesses.add(key("b"), pictures("b", 2))
    assert taken(guesses) == ["b0", "a0", "b1", "a1"]


def test_who_comes_later_goes_before_what_is_left_of_others():
    guesses = Guesses()
    guesses.add(key("a"), pictures("a"))
    guesses.take()
    guesses.add(key("b"), pictures("b", 1))
    assert taken(guesses) == ["b0", "a1", "a2"]


def test_a_guess_is_planned_only_when_it_is_taken():
    planned = []
    guesses = Guesses()
    guesses.add(key("a"), (planned.append(name) or name for name in "xyz"))
    assert guesses.take() == "x"
    assert planned == ["x"]


def test_who_came_too_long_ago_is_forgotten():
    clock = Clock()
    guesses = Guesses(now=clock)
    guesses.add(key("a"), pictures("a"))
    clock.now_s = GONE_S + 1
    guesses.add(key("b"), pictures("b", 1))
    assert taken(guesses) == ["b0"]


def test_who_came_before_too_many_others_is_forgotten():
    guesses = Guesses()
    for number in range(SHOPPERS_MAX + 1):
        guesses.add(key(number), pictures(f"{number}-", 1))
    assert "0-0" not in taken(guesses)


def test_guesses_made_at_the_same_picture_are_made_once():
    guesses = Guesses()
    guesses.add(key("a"), pictures("old"))
    guesses.add(key("a"), pictures("new", 1))
    assert taken(guesses) == ["new0"]
