"""What `resolve` and the manifest list for preloading."""

import pytest

RING = "/v1/compositions/ring"


def resolve(client, **body):
    return client.post(f"{RING}/resolve", json=body)


def listed(client, **body):
    return [(n["option"], n["value"]) for n in resolve(client, **body).json()["neighbours"]]


def test_neighbours_are_one_change_away_in_the_order_of_the_definition(client):
    assert listed(client) == [
        ("metal", "silver"),
        ("gem", "sapphire"),
        ("background", "transparent"),
    ]


def test_the_manifest_lists_those_of_the_default_configuration(client):
    neighbours = client.get(RING).json()["neighbours"]
    assert neighbours == resolve(client).json()["neighbours"]


def test_a_change_that_takes_another_with_it_says_so(client):
    selection = {"metal": "silver", "background": "transparent"}
    neighbours = resolve(client, selection=selection).json()["neighbours"]
    sapphire = next(n for n in neighbours if n["value"] == "sapphire")
    assert sapphire["changes"] == {"metal": "gold", "gem": "sapphire"}


def test_a_view_that_looks_as_before_has_no_picture(client):
    neighbours = resolve(client).json()["neighbours"]
    views = {n["option"]: sorted(n["images"]) for n in neighbours}
    assert views == {"metal": ["hero", "top"], "gem": ["hero"], "background": ["hero"]}


def test_the_address_of_a_neighbour_is_what_resolve_hands_out_there(client):
    for neighbour in resolve(client).json()["neighbours"]:
        images = resolve(client, selection=neighbour["changes"]).json()["images"]
        assert neighbour["images"] == {view: images[view]["src"] for view in neighbour["images"]}


def test_who_says_what_is_shown_gets_addresses_like_it(client):
    shown = {"view": "hero", "width": 240, "format": "avif"}
    neighbours = resolve(client, shown=shown).json()["neighbours"]
    for neighbour in neighbours:
        address = neighbour["images"]["hero"]
        assert address.endswith("/240.avif")
        answer = client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/avif")


def test_who_shows_jpeg_gets_png_where_a_neighbour_is_transparent(client):
    shown = {"view": "hero", "width": 240, "format": "jpg"}
    neighbours = resolve(client, shown=shown).json()["neighbours"]
    ends = {n["value"]: n["images"]["hero"].rpartition(".")[2] for n in neighbours}
    assert ends == {"silver": "jpg", "sapphire": "jpg", "transparent": "png"}


@pytest.mark.parametrize(("wanted", "found"), [(0, 0), (1, 1), (32, 3)])
def test_as_many_are_listed_as_are_asked_for(client, wanted, found):
    assert len(listed(client, neighbours=wanted)) == found


def test_the_option_that_was_changed_last_comes_first(client):
    assert listed(client, changed="gem")[0] == ("gem", "sapphire")


def test_what_is_not_made_has_no_neighbours(client):
    answer = resolve(client, selection={"metal": "silver", "gem": "sapphire"}).json()
    assert (answer["valid"], answer["neighbours"]) == (False, [])


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"changed": "size"}, 422, "metal, gem, background"),
        ({"shown": {"view": "side", "width": 160, "format": "avif"}}, 404, "hero"),
        ({"shown": {"view": "hero", "width": 161, "format": "avif"}}, 400, "160, 240, 320"),
    ],
)
def test_a_hint_that_names_nothing_is_refused_with_what_is_offered(client, body, status, said):
    answer = resolve(client, **body)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
