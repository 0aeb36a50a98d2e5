from render_service.rendering.memory import Memory
from tests.rendering.builders import key, rendition


def test_what_was_put_is_got():
    memory = Memory(budget_bytes=1000)
    memory.put(key(1), rendition())
    assert memory.get(key(1)) == rendition()


def test_what_was_never_put_is_a_miss():
    assert Memory(budget_bytes=1000).get(key(1)) is None


def test_the_bodies_stay_within_the_budget():
    memory = Memory(budget_bytes=1000)
    for number in range(100):
        memory.put(key(number), rendition(bytes(90)))
        assert memory.used_bytes == 90 * len(memory) <= 1000


def test_the_least_recently_used_goes_first():
    memory = Memory(budget_bytes=800)
    for number in range(8):
        memory.put(key(number), rendition(bytes(100)))
    memory.get(key(0))
    memory.put(key(8), rendition(bytes(100)))
    assert key(0) in memory
    assert key(1) not in memory


def test_a_rendition_over_its_share_is_not_kept_and_pushes_nothing_out():
    memory = Memory(budget_bytes=800)
    memory.put(key(1), rendition(bytes(100)))
    kept = memory.put(key(2), rendition(bytes(101)))
    assert not kept
    assert key(1) in memory


def test_putting_again_counts_the_bytes_once():
    memory = Memory(budget_bytes=800)
    memory.put(key(1), rendition(bytes(100)))
    memory.put(key(1), rendition(bytes(50)))
    assert memory.used_bytes == 50


def test_looking_whether_a_key_is_held_does_not_use_it():
    memory = Memory(budget_bytes=800)
    for number in range(8):
        memory.put(key(number), rendition(bytes(100)))
    assert key(0) in memory
    memory.put(key(8), rendition(bytes(100)))
    assert key(0) not in memory


def test_a_budget_of_nothing_keeps_nothing():
    memory = Memory(budget_bytes=0)
    assert not memory.put(key(1), rendition())
