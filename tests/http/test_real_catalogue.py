"""The catalogue that is shipped, served as it is."""

import httpx
import pytest

from tests.http.server import COMPOSITIONS, run_server


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with (
        run_server(COMPOSITIONS, tmp_path_factory.mktemp("shop")) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def manifest(shop):
    return shop.get("/v1/compositions/solitaire-ring").json()


def values(manifest, option):
    return next(o["values"] for o in manifest["options"] if o["id"] == option)


def test_there_are_six_metals_and_six_gems_with_swatches(manifest):
    for option in ("metal", "gem"):
        swatches = [value["swatch"] for value in values(manifest, option)]
        assert len(set(swatches)) == len(swatches) >= 6
        assert None not in swatches


def test_there_are_two_views_and_a_close_look_at_the_stone(manifest):
    views = {view["id"]: view for view in manifest["views"]}
    assert set(views) == {"hero", "top"}
    assert "stone" in views["hero"]["regions"]
    assert views["hero"]["width"] >= 1600


@pytest.mark.parametrize("option", ["metal", "gem"])
def test_every_value_is_a_picture_of_its_own(shop, manifest, option):
    bodies = []
    for value in values(manifest, option):
        path = f"/img/solitaire-ring/hero/160.webp?{option}={value['id']}"
        answer = shop.get(path, follow_redirects=True)
        assert answer.status_code == 200
        bodies.append(answer.content)
    assert len(set(bodies)) == len(bodies)


def test_the_close_look_at_the_stone_is_drawn(shop):
    answer = shop.get("/img/solitaire-ring/hero:stone/320.avif?gem=ruby", follow_redirects=True)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/avif")


def test_what_the_rules_forbid_is_refused_with_what_is_nearest(shop, manifest):
    rule = manifest["rules"][0]
    selection = {option: offered[0] for option, offered in rule["all"].items()}
    resolved = shop.post(
        "/v1/compositions/solitaire-ring/resolve", json={"selection": selection}
    ).json()
    assert not resolved["valid"]
    assert resolved["conflicts"][0]["reason"] == rule["reason"]
    assert resolved["nearest"]
