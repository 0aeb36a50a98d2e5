"""What nobody waits for steps aside for what is asked for, and not for ever."""

from render_service.rendering import giving_way
from render_service.rendering.giving_way import GivingWay


class Answers:
    """Says True so many times, then False."""

    def __init__(self, times):
        self.times = times

    def __call__(self):
        self.times -= 1
        return self.times >= 0


def never():
    return False


def always():
    return True


def layers(**how):
    return GivingWay(lambda placement: f"raster of {placement}", **how)


def test_a_layer_is_given_when_nobody_else_needs_the_processor():
    assert layers(is_pressed=never, is_wanted=never)("band") == "raster of band"


def test_it_waits_while_requests_need_it():
    pressed = Answers(3)
    layers(is_pressed=pressed, is_wanted=never)("band")
    assert pressed.times == -1


def test_it_does_not_wait_once_somebody_asks_for_this_picture():
    pressed, wanted = Answers(1000), Answers(1)
    layers(is_pressed=pressed, is_wanted=wanted)("band")
    assert pressed.times == 999


def test_it_stands_aside_so_long_for_a_picture_and_no_longer(monkeypatch):
    waits = []
    monkeypatch.setattr(giving_way.time, "sleep", waits.append)
    tile = layers(is_pressed=always, is_wanted=never)
    tile("band")
    waited = len(waits)
    tile("stone")
    assert waited * giving_way.LOOK_S == giving_way.ASIDE_AT_MOST_S
    assert len(waits) == waited
