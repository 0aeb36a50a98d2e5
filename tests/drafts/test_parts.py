"""The parts of a draft over HTTP: layers, options, its check, its manifest."""

import pytest

from tests.drafts.asking import address, begin, drop, put, read
from tests.drafts.test_routes import problem

LAYER = {"asset": "band.png", "paint": "metal", "encoding": "linear"}


def layers(draft, view="hero"):
    return draft["definition"]["views"][view]["layers"]


def test_a_layer_is_replaced_where_it_is(anna):
    draft = begin(anna)
    answer = put(anna, draft, "layers", "hero", 2, json={"asset": "stone-ruby.png"})
    assert answer.status_code == 200, answer.text
    changed = layers(read(anna, draft["id"]))
    assert changed[2] == {"asset": "stone-ruby.png"}
    assert changed[:2] == layers(draft)[:2]


def test_the_number_behind_the_last_adds_a_layer(anna):
    draft = begin(anna)
    assert put(anna, draft, "layers", "hero", 3, json=LAYER).json()["faults"] == []
    assert layers(read(anna, draft["id"])) == [*layers(draft), LAYER]


def test_a_number_that_leaves_a_gap_is_refused(anna):
    answer = put(anna, begin(anna), "layers", "hero", 9, json=LAYER)
    assert problem(answer) == (404, "unknown-part")
    assert answer.json()["offered"] == ["0 to 3"]


def test_a_layer_is_taken_out_and_those_above_move_down(anna):
    draft = begin(anna)
    assert drop(anna, draft, "layers", "hero", 0).status_code == 200
    assert layers(read(anna, draft["id"])) == layers(draft)[1:]


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        ({"asset": 1}, "asset"),
        ({"asset": "x.png", "blend": "screen"}, "blend"),
        ({"asset": "x.png", "opacity": 1}, "opacity"),
        ({}, "asset"),
        ([], "body"),
    ],
)
def test_a_layer_of_another_shape_is_refused_by_its_field(anna, layer, field):
    draft = begin(anna)
    answer = put(anna, draft, "layers", "hero", 0, json=layer)
    assert problem(answer) == (400, "invalid-body")
    assert field in [item["field"] for item in answer.json()["errors"]]
    assert read(anna, draft["id"])["revision"] == 1


@pytest.mark.parametrize("number", ["-1", "01", "1e3", "99999999", "x", "%00"])
def test_a_number_of_a_layer_that_is_none_is_refused(anna, number):
    answer = put(anna, begin(anna), "layers", "hero", number, json=LAYER)
    assert problem(answer) == (400, "malformed-path")


def test_a_view_that_is_not_there_is_named(anna):
    answer = put(anna, begin(anna), "layers", "side", 0, json=LAYER)
    assert problem(answer) == (404, "unknown-part")
    assert answer.json()["offered"] == ["hero", "top"]


def test_an_option_is_added_and_what_names_it_is_sound(anna):
    draft = begin(anna)
    engraved = {"values": ["plain", "engraved"], "default": "plain"}
    head = put(anna, draft, "options", "finish", json=engraved).json()
    assert head["fault_count"] == 0
    layer = {**LAYER, "when": {"finish": "engraved"}}
    answer = put(anna, {**draft, **head}, "layers", "hero", 3, json=layer)
    assert answer.json()["faults"] == []
    options = read(anna, draft["id"])["definition"]["options"]
    assert list(options) == ["metal", "gem", "background", "finish"]


def test_an_option_that_is_taken_out_is_missed_where_it_is_named(anna):
    answer = drop(anna, begin(anna), "options", "gem")
    told = {(fault["table"], fault["key"]) for fault in answer.json()["faults"]}
    assert told == {("forbid[0]", "all"), ("views.hero.layers[2]", "asset")}


def test_the_check_finds_what_only_drawing_can(anna):
    draft = begin(anna)
    # A file of another size than the canvas, and not placed.
    put(anna, draft, "assets", "band.png", json={"sha256": draft["assets"]["top.png"]})
    found = anna.post(address(draft, "check")).json()
    assert found["complete"]
    assert found["drawn"] > 0
    (fault,) = {fault["key"]: fault for fault in found["faults"]}.values()
    assert (fault["table"], fault["key"]) == ("views.hero.layers[1]", "asset")


def test_a_sound_draft_has_no_faults_to_tell(anna):
    found = anna.post(address(begin(anna), "check")).json()
    assert (found["fault_count"], found["complete"], found["revision"]) == (0, True, 1)


def test_a_check_tells_all_that_is_wrong_at_once_and_draws_nothing(anna):
    draft = begin(anna)
    definition = {**draft["definition"], "tone": "none", "title": "", "forbid": 3}
    put(anna, draft, json={"definition": definition})
    found = anna.post(address(draft, "check")).json()
    assert {fault["key"] for fault in found["faults"]} == {"tone", "title", "forbid"}
    assert found["drawn"] == 0


def test_the_manifest_is_that_of_a_live_composition_with_addresses_of_the_preview(anna):
    draft = begin(anna)
    manifest = anna.get(address(draft, "manifest")).json()
    live = anna.get("/v1/compositions/ring").json()
    assert manifest["options"] == live["options"]
    assert manifest["rules"] == live["rules"]
    template = manifest["views"][0]["url_template"]
    assert template == f"{draft['preview']['url']}/hero/{{configuration}}/{{width}}.{{format}}"
    regions = manifest["views"][0]["regions"]["stone"]["url_template"]
    assert "/hero:stone/" in regions


def test_a_draft_with_faults_has_no_manifest_and_says_why(anna):
    draft = begin(anna)
    drop(anna, draft, "options", "gem")
    answer = anna.get(address(draft, "manifest"))
    assert problem(answer) == (422, "invalid-draft")
    assert answer.json()["count"] == 2


def test_ten_thousand_layers_are_read_and_drawn_where_they_are_few_at_a_time(anna):
    draft = begin(anna)
    values = [f"v{number}" for number in range(1000)]
    hero = draft["definition"]["views"]["hero"]
    many = [
        {"asset": "stone-ruby.png", "when": {"charm": values[number % 1000]}}
        for number in range(10_000)
    ]
    definition = {
        **draft["definition"],
        "options": {**draft["definition"]["options"], "charm": {"values": values, "default": "v0"}},
        "views": {"hero": {**hero, "layers": [*hero["layers"], *many]}},
    }
    head = put(anna, draft, json={"definition": definition})
    assert head.status_code == 200, head.text
    assert head.json()["faults"] == []
    preview = head.json()["preview"]["url"]
    assert anna.get(f"{preview}/hero/charm=v7/160.webp").status_code == 200
    found = anna.post(address(draft, "check")).json()
    assert (found["fault_count"], found["complete"]) == (0, False)


def test_a_definition_that_counts_to_billions_is_told_and_costs_nothing(anna):
    draft = begin(anna)
    values = [f"v{number}" for number in range(500)]
    options = {f"o{number}": {"values": values, "default": "v0"} for number in range(8)}
    name = "".join(f"{{{option}}}" for option in options)
    view = {"width_px": 320, "height_px": 240, "layers": [{"asset": f"{name}.png"}]}
    definition = {**draft["definition"], "options": options, "forbid": [], "views": {"hero": view}}
    head = put(anna, draft, json={"definition": definition}).json()
    (fault,) = head["faults"]
    assert "at most 100000 are read" in fault["problem"]


def test_a_definition_of_endless_faults_is_told_in_part(anna):
    draft = begin(anna)
    layers = [{"asset": "x.png", "paint": "x" * 900, "when": {"y" * 190: "z"}}] * 3000
    view = {"width_px": 320, "height_px": 240, "layers": layers}
    definition = {**draft["definition"], "views": {"hero": view}}
    head = put(anna, draft, json={"definition": definition}).json()
    assert head["fault_count"] >= 6000
    assert len(head["faults"]) == 200


def test_what_is_too_many_is_told_before_it_is_read(anna):
    draft = begin(anna)
    options = {f"o{n}": {"values": ["a"], "default": "a"} for n in range(101)}
    head = put(anna, draft, json={"definition": {**draft["definition"], "options": options}}).json()
    (fault,) = head["faults"]
    assert (fault["key"], "at most 100" in fault["problem"]) == ("options", True)
