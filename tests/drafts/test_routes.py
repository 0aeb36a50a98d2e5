"""Drafts over HTTP: begun with what is live, written by whoever knows their revision."""

import base64
import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from render_service.composition.definition import CompositionDefinition
from tests.drafts.asking import address, begin, drop, put, read
from tests.http.catalogue import COMPOSITION, MATERIALS

RED = "c" * 64
LONG = "x" * 1001


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_a_draft_begins_with_all_of_what_is_live(anna):
    draft = begin(anna)
    assert (draft["revision"], draft["composition"]) == (1, "ring")
    assert len(draft["base"]) == 64
    assert list(draft["definition"]["options"]) == ["metal", "gem", "background"]
    assert list(draft["materials"]["materials"]["metal"]) == ["gold", "silver"]
    assert set(draft["assets"]) >= {"band.png", "stone-ruby.png", "top.png"}
    assert (draft["faults"], draft["fault_count"]) == ([], 0)
    assert draft["created"]["who"] == "anna"


def test_a_draft_is_listed_and_the_last_changed_comes_first(anna):
    first, second = begin(anna), begin(anna)
    page = anna.get("/v1/drafts", params={"limit": 1}).json()
    assert [one["id"] for one in page["drafts"]] == [second["id"]]
    behind = anna.get(page["next"]).json()
    assert behind["drafts"][0]["id"] == first["id"]
    assert anna.get(behind["drafts"][0]["href"]).status_code == 200


def test_a_new_composition_begins_with_a_definition_in_the_words_of_another(anna):
    draft = begin(anna, composition="pendant", like="ring")
    assert (draft["base"], draft["faults"]) == (None, [])


def test_without_anything_to_take_it_from_a_definition_is_asked_for(anna):
    answer = anna.post("/v1/drafts", json={"composition": "pendant"})
    assert problem(answer) == (400, "invalid-body")
    assert "name a composition that is live in `like`" in answer.json()["detail"]


def test_like_names_what_is_live(anna):
    answer = anna.post("/v1/drafts", json={"composition": "pendant", "like": "brooch"})
    assert problem(answer) == (404, "unknown-composition")
    assert answer.json()["offered"] == ["ring"]


def test_a_definition_is_written_as_a_retoucher_has_it(anna):
    draft = begin(anna)
    text = COMPOSITION.replace('tone = "plain"', 'tone = "ring"')
    toml = {"content-type": "application/toml", "if-match": '"1"'}
    answer = anna.put(address(draft, "definition"), content=text, headers=toml)
    assert answer.status_code == 200, answer.text
    assert answer.json()["faults"] == []
    assert read(anna, draft["id"])["definition"]["title"] == "Test ring"


def test_materials_are_written_for_this_draft_alone(anna):
    draft = begin(anna)
    headers = {"content-type": "application/toml", "if-match": '"1"'}
    answer = anna.put(address(draft, "materials"), content=MATERIALS, headers=headers)
    # The definition asks for a tone that these do not have.
    (fault,) = answer.json()["faults"]
    assert (fault["key"], fault["file"]) == ("tone", "ring/composition.toml")
    assert "known: plain" in fault["problem"]
    assert begin(anna)["faults"] == []


def test_what_is_unfinished_is_kept_and_every_fault_told(anna):
    draft = begin(anna)
    definition = {**draft["definition"], "tone": "none", "forbid": [{"all": {"alloy": "x"}}]}
    answer = put(anna, draft, json={"definition": definition})
    assert answer.status_code == 200
    told = {(fault["table"], fault["key"]) for fault in answer.json()["faults"]}
    assert {("", "tone"), ("forbid[0]", "reason"), ("forbid[0]", "all")} <= told
    assert read(anna, draft["id"])["definition"]["tone"] == "none"


def test_a_write_says_what_it_knows_of(anna):
    draft = begin(anna)
    answer = anna.put(address(draft), json={"definition": {}})
    assert problem(answer) == (428, "precondition-missing")
    answer = anna.put(address(draft), json={}, headers={"if-match": "yesterday"})
    assert problem(answer) == (400, "invalid-body")
    assert "If-Match" in answer.json()["detail"]


def test_of_two_designers_one_wins_and_the_other_is_told_by_whom(anna, ben):
    draft = begin(anna)
    definition = {**draft["definition"], "title": "Anna's"}
    assert put(anna, draft, json={"definition": definition}).json()["revision"] == 2
    answer = put(ben, draft, json={"definition": {**definition, "title": "Ben's"}})
    assert problem(answer) == (412, "draft-moved")
    assert (answer.json()["revision"], answer.json()["who"]) == (2, "anna")
    assert read(ben, draft["id"])["definition"]["title"] == "Anna's"


def test_writing_the_same_again_is_no_revision(anna):
    draft = begin(anna)
    assert put(anna, draft, json={"assets": draft["assets"]}).json()["revision"] == 1


def test_a_layer_file_is_given_by_the_digest_of_one_that_is_stored(anna):
    draft = begin(anna)
    band = draft["assets"]["band.png"]
    answer = put(anna, draft, "assets", "metal/band.png", json={"sha256": band})
    assert answer.status_code == 200, answer.text
    draft = read(anna, draft["id"])
    assert draft["assets"]["metal/band.png"] == band
    assert drop(anna, draft, "assets", "metal/band.png").status_code == 200
    assert "metal/band.png" not in read(anna, draft["id"])["assets"]


def test_a_digest_of_nothing_that_was_uploaded_is_refused(anna):
    answer = put(anna, begin(anna), "assets", "band.png", json={"sha256": RED})
    assert problem(answer) == (422, "asset-not-stored")
    assert "upload it first" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["..%2Fx.png", "a%00b.png", "{metal}.png", "x" * 201, ".hidden"])
def test_a_name_that_could_lead_elsewhere_is_refused(anna, name):
    draft = begin(anna)
    answer = put(anna, draft, f"assets/{name}", json={"sha256": draft["assets"]["band.png"]})
    assert answer.status_code in (400, 404), answer.text
    assert read(anna, draft["id"])["revision"] == 1


def test_a_file_that_the_definition_names_and_the_draft_lacks_is_a_fault(anna):
    answer = drop(anna, begin(anna), "assets", "stone-ruby.png")
    (fault,) = answer.json()["faults"]
    assert (fault["table"], fault["key"]) == ("views.hero.layers[2]", "asset")
    assert "stone-ruby.png" in fault["problem"]


def test_a_draft_that_is_forgotten_is_gone(anna):
    draft = begin(anna)
    assert drop(anna, draft).status_code == 204
    assert problem(anna.get(address(draft))) == (404, "unknown-draft")
    assert problem(drop(anna, draft)) == (404, "unknown-draft")


@pytest.mark.parametrize("given", ["x", "0" * 15, "0" * 16, "%00", "..", "A" * 16])
def test_what_is_no_draft_is_not_found(anna, given):
    assert anna.get(f"/v1/drafts/{given}").status_code == 404


def test_drafts_are_for_who_may_write_the_catalogue(nobody, server):
    assert problem(nobody.get("/v1/drafts"))[0] == 401
    assert problem(nobody.post("/v1/drafts", json={"composition": "ring"}))[0] == 401


DEEP = '{"a":' * 20 + "1" + "}" * 20


def begun(field, text):
    """The body of a draft with one more field, spelled as it is given."""
    return f'{{"composition": "ring", "{field}": {text}}}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"composition": "../ring"}', "composition"),
        ('{"composition": "ring", "like": "Ring"}', "like"),
        ('{"composition": "ring", "draft": 1}', "draft"),
        ('{"composition": "ring", "definition": []}', "definition"),
        (begun("definition", DEEP), "nested more than 12 deep"),
        (begun("definition", '{"a": ' + "[" * 100_000), "JSON"),
        ('{"composition": "ring", "definition": {"title": "a\\u0000b"}}', "no NUL"),
        ('{"composition": "ring", "definition": {"a\\u0000": 1}}', "NUL"),
        (begun("definition", f'{{"title": "{LONG}"}}'), "1000"),
        ('{"composition": "ring", "definition": {"schema": 1e300}}', "number"),
        ('{"composition": "ring", "definition": {"schema": 99999999999999999999999}}', "number"),
        (begun("assets", f'{{"../x": "{RED}"}}'), "assets.../x"),
        ('{"composition": "ring", "assets": {"x": "ABC"}}', "SHA-256"),
        ('{"composition": "\\ud800"}', "JSON"),
        ("", "got nothing"),
    ],
)
def test_a_hostile_body_is_refused_by_its_field_and_nothing_is_kept(anna, body, said):
    before = anna.get("/v1/drafts").json()["drafts"][:1]
    answer = anna.post(
        "/v1/drafts", content=body.encode(), headers={"content-type": "application/json"}
    )
    assert problem(answer) == (400, "invalid-body")
    assert said in answer.json()["detail"]
    assert anna.get("/v1/drafts").json()["drafts"][:1] == before


def test_a_document_beyond_what_is_kept_is_refused(anna):
    layer = {"asset": "x" * 190, "paint": "metal"}
    views = {"hero": {"width_px": 10, "height_px": 10, "layers": [layer] * 20_000}}
    answer = anna.post(
        "/v1/drafts", json={"composition": "ring", "definition": {"schema": 1, "views": views}}
    )
    assert problem(answer) == (413, "draft-too-large")


def test_the_answer_is_what_the_schema_of_a_definition_takes(anna):
    msgspec.convert(begin(anna)["definition"], CompositionDefinition)


def test_what_begins_with_the_live_files_names_their_digests(anna, sound):
    assets = begin(anna)["assets"]
    for name in ("band.png", "top.png"):
        data = (Path(sound) / "ring" / name).read_bytes()
        assert assets[name] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "title = 1\ntitle = 2",
        "title = " + "9" * 5000,
        "title = " + "[" * 5000,
        'title = "a\\u0000b"',
        "\xff",
    ],
)
def test_hostile_toml_is_refused(anna, text):
    draft = begin(anna)
    headers = {"content-type": "application/toml", "if-match": '"1"'}
    answer = anna.put(address(draft, "definition"), content=text.encode("latin-1"), headers=headers)
    assert problem(answer) == (400, "invalid-body")


def test_a_document_of_a_million_values_is_refused(anna):
    text = begun("definition", '{"views": [' + "0," * 1_000_000 + "0]}")
    answer = anna.post(
        "/v1/drafts", content=text.encode(), headers={"content-type": "application/json"}
    )
    assert problem(answer) == (400, "invalid-body")
    assert "values" in answer.json()["detail"]


CURSORS = [
    "x",
    "e30",
    {"at": "0001-01-01T00:00:00+14:00", "id": "0" * 16},
    {"at": "9999-12-31T23:59:59-14:00", "id": "0" * 16},
    {"at": "2026-01-01T00:00:00", "id": "0" * 16},
    {"at": "2026-01-01T00:00:00Z", "id": "x"},
    10**30,
    -1,
]


@pytest.mark.parametrize("path", ["/v1/drafts", "/v1/releases", "/v1/activity"])
@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_is_none_of_ours_is_refused(anna, path, cursor):
    spelled = cursor
    if not isinstance(cursor, str):
        spelled = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
    answer = anna.get(path, params={"cursor": spelled})
    assert problem(answer) == (400, "invalid-query")


@pytest.mark.parametrize("query", ["who=%00", "subject=a%00", "who=", "subject=" + "x" * 201])
def test_a_word_that_nothing_has_is_refused(anna, query):
    assert problem(anna.get(f"/v1/activity?{query}")) == (400, "invalid-query")
