import itertools
import subprocess
import sys
from collections import Counter
from statistics import mean, median

import pytest
from msgspec.structs import replace

from loadtests.devices import BROWSERS, DEVICES, Browser, Device
from loadtests.habits import HABITS, Tastes
from loadtests.products import fill_template, pick_source
from loadtests.shoppers import Kind, Population
from tests.loadtests.products import CHAIN, METALS, RING

SESSIONS = 2000


def steps_of(shopper):
    step = shopper.first_step()
    while step is not None:
        yield step
        step = shopper.next_step()


@pytest.fixture(scope="module")
def sessions():
    population = Population([RING], seed=1)
    shoppers = [population.shopper(number) for number in range(SESSIONS)]
    return [(shopper, list(steps_of(shopper))) for shopper in shoppers]


@pytest.fixture(scope="module")
def clicks(sessions):
    return [[s for s in steps if s.kind is Kind.CLICK] for _, steps in sessions]


def test_the_same_seed_has_the_same_shoppers_in_whatever_order_they_come():
    forth = Population([RING, CHAIN], seed=7)
    back = Population([RING, CHAIN], seed=7)
    ahead = {number: list(steps_of(forth.shopper(number))) for number in range(20)}
    assert {n: list(steps_of(back.shopper(n))) for n in reversed(range(20))} == ahead


def test_the_same_seed_has_the_same_shoppers_in_another_process():
    program = (
        "from loadtests.shoppers import Population\n"
        "from tests.loadtests.products import RING\n"
        "shopper = Population([RING], seed=3).shopper(5)\n"
        "shopper.first_step()\n"
        "print(shopper.device.name, shopper.clicks_left, shopper.next_step())\n"
    )
    said = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(said) == 1


def test_another_seed_has_other_shoppers():
    one, other = (list(steps_of(Population([RING], seed).shopper(0))) for seed in (1, 2))
    assert one != other


def test_a_session_opens_the_product_and_then_clicks_as_often_as_it_was_to(sessions):
    for shopper, steps in sessions:
        assert [step.kind for step in steps].count(Kind.OPEN) == 1
        assert steps[0].kind is Kind.OPEN
        assert shopper.clicks_left == 0


def test_the_number_of_clicks_is_geometric(clicks):
    counts = [len(clicked) for clicked in clicks]
    assert min(counts) == 1
    assert max(counts) <= HABITS.clicks_max
    assert mean(counts) == pytest.approx(HABITS.clicks_mean, rel=0.1)
    # Of a geometric distribution the same share goes on after every click.
    share = 1 - 1 / HABITS.clicks_mean
    for already in (1, 4, 8):
        gone_on = sum(count > already for count in counts) / sum(c >= already for c in counts)
        assert gone_on == pytest.approx(share, abs=0.05)


def test_a_click_changes_one_option_to_another_value_of_it(sessions):
    for _, steps in sessions:
        for before, after in itertools.pairwise(steps):
            changed = {
                option
                for option, value in after.configuration.items()
                if before.configuration[option] != value
            }
            assert changed == (set() if after.option is None else {after.option})


def test_nobody_clicks_an_option_that_has_one_value(clicks):
    assert "engraved" not in {step.option for clicked in clicks for step in clicked}


def test_values_of_one_option_are_tried_one_after_the_other(clicks):
    pairs = [pair for clicked in clicks for pair in itertools.pairwise(clicked)]
    stayed = sum(one.option == other.option for one, other in pairs) / len(pairs)
    # By chance alone it would be two in five at most.
    assert 0.5 < stayed < 0.8


def test_shoppers_go_back_to_a_value_they_liked(clicks):
    returns = 0
    for clicked in clicks:
        seen: dict[str, set[str]] = {}
        for step in clicked:
            value = step.configuration[step.option]
            returns += value in seen.setdefault(step.option, set())
            seen[step.option].add(value)
    assert 0.1 < returns / sum(map(len, clicks)) < 0.5


def test_what_is_liked_is_asked_for_more_than_what_is_not(clicks):
    tastes = Tastes([RING], seed=1)
    chosen = Counter(s.configuration["gem"] for c in clicks for s in c if s.option == "gem")
    ranked = list(tastes.values["ring", "gem"])
    assert sum(chosen[gem] for gem in ranked[:2]) > sum(chosen[gem] for gem in ranked[-2:])
    assert set(chosen) == set(ranked)


def test_the_default_pleases_most_and_the_rest_not_in_the_order_of_the_page():
    orders = [list(Tastes([RING], seed).values["ring", "metal"]) for seed in range(10)]
    assert {order[0] for order in orders} == {"yellow-gold"}
    assert len(set(map(tuple, orders))) > 5
    assert all(sorted(order) == sorted(METALS) for order in orders)


def test_weights_are_zipfs():
    weights = list(Tastes([RING], seed=1).values["ring", "gem"].values())
    assert weights == [rank**-HABITS.zipf_exponent for rank in range(1, 7)]


def test_a_shared_link_shows_what_is_made(sessions):
    opened = [steps[0].configuration for _, steps in sessions]
    linked = [configuration for configuration in opened if configuration != RING.defaults]
    assert all(map(RING.is_made, opened))
    # Some links show the defaults.
    assert 0.15 < len(linked) / SESSIONS < HABITS.link_share


def test_dwell_times_are_log_normal_and_bounded(sessions):
    dwelt_s = [step.dwell_s for _, steps in sessions for step in steps[1:]]
    assert HABITS.dwell_min_s <= min(dwelt_s) <= max(dwelt_s) <= HABITS.dwell_max_s
    assert median(dwelt_s) == pytest.approx(HABITS.dwell_median_s, rel=0.05)
    tenth = sorted(dwelt_s)[len(dwelt_s) // 10]
    assert tenth == pytest.approx(1.1, rel=0.1)


def test_some_clicks_are_followed_by_a_turn_to_another_view(sessions, clicks):
    turns = sum(step.kind is Kind.TURN for _, steps in sessions for step in steps)
    assert turns / sum(map(len, clicks)) == pytest.approx(HABITS.turn_share, abs=0.02)


def test_nobody_turns_a_product_with_one_view():
    population = Population([CHAIN], seed=1)
    steps = [step for number in range(50) for step in steps_of(population.shopper(number))]
    assert {step.kind for step in steps} == {Kind.OPEN, Kind.CLICK}


def test_whoever_is_refused_takes_what_is_offered():
    shopper = Population([RING], seed=1).shopper(0)
    shopper.first_step()
    nearest = {**RING.defaults, "metal": "silver"}
    assert shopper.take(nearest).configuration == nearest
    assert shopper.next_step().configuration["engraved"] == "no"


def test_devices_and_browsers_come_in_the_shares_that_are_stated(sessions):
    for table, name in ((DEVICES, "device"), (BROWSERS, "browser")):
        assert sum(entry.share for entry in table) == pytest.approx(1)
        met = Counter(getattr(shopper, name).name for shopper, _ in sessions)
        for entry in table:
            assert met[entry.name] / SESSIONS == pytest.approx(entry.share, abs=0.04)


def test_a_phone_fills_its_width_and_a_desktop_the_half_that_the_page_gives_a_picture():
    phone = Device(name="", share=1, width_px=360, height_px=660, density=3)
    desktop = Device(name="", share=1, width_px=1920, height_px=945, density=1)
    assert (phone.picture_px, desktop.picture_px) == (1080, 769)


IMAGE = {
    "srcset": "/320.jpg 320w, /800.jpg 800w",
    "sources": [
        {"type": "image/avif", "srcset": "/320.avif 320w, /800.avif 800w"},
        {"type": "image/webp", "srcset": "/320.webp 320w, /800.webp 800w"},
    ],
}


@pytest.mark.parametrize(
    ("types", "wanted_px", "url"),
    [
        ({"image/avif", "image/webp"}, 100, "/320.avif"),
        ({"image/avif", "image/webp"}, 321, "/800.avif"),
        ({"image/webp"}, 4000, "/800.webp"),
        (set(), 320, "/320.jpg"),
    ],
)
def test_a_browser_takes_the_first_type_it_knows_and_the_narrowest_that_is_sharp(
    types, wanted_px, url
):
    browser = Browser(name="", share=1, types=frozenset(types), accept="")
    assert pick_source(IMAGE, browser, wanted_px) == url


def test_a_page_asks_for_the_large_picture_first_and_for_each_address_once():
    shopper = Population([RING], seed=1).shopper(0)
    step = shopper.first_step()
    asked = shopper.looks_at({"hero": IMAGE, "top": IMAGE}, step)
    assert asked[0] == pick_source(IMAGE, shopper.browser, shopper.device.picture_px)
    assert len(asked) == len(set(asked)) <= 2


def image_of(view, configuration=RING.defaults):
    srcset = ", ".join(
        f"{fill_template(view, configuration, width, 'avif')} {width}w" for width in view.widths_px
    )
    return {"srcset": srcset, "sources": []}


def clicked(product):
    """A shopper who has seen the first picture, the URL of it, and the first click."""
    shopper = Population([product], seed=1).shopper(0)
    images = {view.id: image_of(view) for view in product.views}
    large = shopper.looks_at(images, shopper.first_step())[0]
    return shopper, large, next(s for s in iter(shopper.next_step, None) if s.kind is Kind.CLICK)


def test_hints_are_for_a_service_that_takes_them():
    knowing = replace(RING, takes_hints=True)
    for product, keys in ((RING, {"selection"}), (knowing, {"selection", "shown", "changed"})):
        shopper, _, step = clicked(product)
        assert set(shopper.asks(step, hints=True)) == keys
        assert set(shopper.asks(step, hints=False)) == {"selection"}


def test_what_is_said_to_be_shown_is_the_picture_that_was_asked_for():
    shopper, large, step = clicked(replace(RING, takes_hints=True))
    shown = shopper.asks(step, hints=True)["shown"]
    assert large.endswith(f"/{shown['width']}.{shown['format']}")
    assert shown["view"] == "hero"


def test_nothing_is_shown_before_the_first_picture():
    shopper = Population([replace(RING, takes_hints=True)], seed=1).shopper(0)
    assert set(shopper.asks(shopper.first_step(), hints=True)) == {"selection"}


def test_neighbours_are_preloaded_as_the_picture_that_is_shown():
    shopper, large, _ = clicked(RING)
    neighbours = [
        {"images": {"hero": "/r/ring/hero/0123456789/metal=silver/800.jpg"}},
        {"images": {"top": "/r/ring/top/0123456789/metal=silver/800.jpg"}},
    ]
    (url,) = shopper.preloads(neighbours)
    assert url == f"/r/ring/hero/0123456789/metal=silver/{large.rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("products", "words"),
    [
        ([], "no product"),
        ([replace(CHAIN, values={"metal": ("silver",)})], "chain has no option with two values"),
    ],
)
def test_a_population_with_nothing_to_click_is_refused(products, words):
    with pytest.raises(ValueError, match=words):
        Population(products, seed=1)


def test_a_rule_takes_its_configurations_out():
    made = list(RING.configurations())
    assert len(made) == 6 * 6 * 2 - 6
    assert all(map(RING.is_made, made))
