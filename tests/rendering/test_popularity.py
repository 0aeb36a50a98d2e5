"""Counts that rank: nobody waits for them, and losing them loses nothing else."""

import asyncio

import pytest

from render_service.errors import TierUnavailable
from render_service.rendering import popularity as module
from render_service.rendering.popularity import NOTES_MAX, Popularity
from tests.rendering.builders import until

RUBY = ("gem", "ruby")


class FakeCounts:
    """A store of our own port, that can be taken away."""

    def __init__(self):
        self.held, self.away, self.closed = {}, False, False

    async def add(self, composition, changes):
        self._ask()
        counts = self.held.setdefault(composition, {})
        for change, count in changes.items():
            counts[change] = counts.get(change, 0) + count

    async def read(self, composition):
        self._ask()
        return dict(self.held.get(composition, {}))

    async def close(self):
        self.closed = True

    def _ask(self):
        if self.away:
            raise TierUnavailable("The fake counts are away.")


@pytest.fixture
def store():
    return FakeCounts()


@pytest.fixture
async def popularity(store, monkeypatch):
    monkeypatch.setattr(module, "WRITE_EACH_S", 0.01)
    monkeypatch.setattr(module, "READ_EACH_S", 0.0)
    popularity = Popularity(store, pause_s=0.01)
    running = asyncio.create_task(popularity.run())
    yield popularity
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_is_noted_is_counted_soon(popularity, store):
    for _ in range(3):
        popularity.note("ring", *RUBY)
    await until(lambda: store.held.get("ring") == {RUBY: 3})


async def test_counts_are_there_soon_after_they_are_asked_for(popularity, store):
    store.held["ring"] = {RUBY: 2.0}
    assert popularity.of("ring") == {}
    await until(lambda: popularity.of("ring") == {RUBY: 2.0})


async def test_counts_are_looked_at_again(popularity, store):
    store.held["ring"] = {RUBY: 2.0}
    await until(lambda: popularity.of("ring") == {RUBY: 2.0})
    store.held["ring"] = {RUBY: 7.0}
    await until(lambda: popularity.of("ring") == {RUBY: 7.0})


async def test_what_is_noted_while_the_store_is_away_is_counted_when_it_is_back(
    popularity, store, caplog
):
    caplog.set_level("INFO")
    store.away = True
    popularity.note("ring", *RUBY)
    await until(lambda: "not counted" in caplog.text)
    assert popularity.of("ring") == {}
    store.away = False
    await until(lambda: store.held.get("ring") == {RUBY: 1})
    await until(lambda: "counted again" in caplog.text)


async def test_without_a_store_nothing_is_kept():
    popularity = Popularity()
    popularity.note("ring", *RUBY)
    assert popularity.of("ring") == {}
    await popularity.run()
    await popularity.close()


async def test_closing_writes_what_was_noted(store):
    popularity = Popularity(store)
    popularity.note("ring", *RUBY)
    await popularity.close()
    assert (store.held, store.closed) == ({"ring": {RUBY: 1}}, True)


async def test_no_more_is_kept_for_later_than_is_bounded(store):
    popularity = Popularity(store)
    for number in range(NOTES_MAX + 10):
        popularity.note("ring", "option", str(number))
    await popularity.close()
    assert len(store.held["ring"]) == NOTES_MAX
