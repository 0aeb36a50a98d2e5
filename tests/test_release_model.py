"""Documents of releases: named by their digests, and never misread."""

import hashlib

import msgspec
import pytest

from render_service.errors import ReleaseUnreadable
from render_service.pixels.encode import PROFILES
from render_service.releases.making import make_releases, plan_releases
from render_service.releases.model import (
    LIVE,
    RELEASE_SCHEMA,
    STATE_SCHEMA,
    Release,
    State,
    check_whole,
    decode_release,
    decode_state,
    encode_release,
    encode_state,
    is_name,
    release_name,
)
from tests.builders import build_catalogue, calibrated_planner

SHAPES = {
    Release: (RELEASE_SCHEMA, 3, "091505c3a3aae693"),
    State: (STATE_SCHEMA, 1, "0061468ed4ee604c"),
}


@pytest.fixture(scope="module")
def releases():
    return make_releases(build_catalogue(), PROFILES)


def shape_of(kind):
    """The shape of a document without its words."""
    (schema,), parts = msgspec.json.schema_components([kind])
    return hashlib.sha256(repr(without_words([schema, parts])).encode()).hexdigest()[:16]


def without_words(found):
    if isinstance(found, list):
        return [without_words(one) for one in found]
    if not isinstance(found, dict):
        return found
    # A field may have these names, too; then its value is a schema.
    words = {k for k in ("description", "title") if isinstance(found.get(k), str)}
    return {k: without_words(v) for k, v in found.items() if k not in words}


@pytest.mark.parametrize("kind", list(SHAPES))
def test_a_document_of_another_shape_has_another_schema_number(kind):
    """Where this fails: bump the schema in `releases/model.py`, and state it here."""
    assert (SHAPES[kind][0], shape_of(kind)) == SHAPES[kind][1:]


def test_a_release_is_read_as_it_was_written_and_plans_the_same_keys(releases):
    for name, release in releases.items():
        digest, data = encode_release(release)
        again = decode_release(release_name(name, digest), data)
        assert again == release
        assert encode_release(again) == (digest, data)
        assert list(again.composition.options) == list(release.composition.options)


def test_a_release_holds_its_calibrated_qualities():
    planner = calibrated_planner()
    (release,) = make_releases(planner.catalogue, PROFILES).values()
    digest, data = encode_release(release)
    again = decode_release(release_name("ring", digest), data)

    assert again.composition.qualities == planner.catalogue.composition("ring").qualities
    assert plan_releases({"ring": again}).catalogue == planner.catalogue


def test_a_release_of_before_there_were_qualities_is_read_and_has_none(releases):
    (release, *_) = releases.values()
    document = msgspec.to_builtins(release, str_keys=False)
    del document["composition"]["qualities"]
    old = msgspec.msgpack.encode({**document, "schema": 1})

    again = decode_release("releases/x", old)

    assert again == msgspec.structs.replace(release, schema=1)
    assert again.composition.qualities == ()


def test_the_planner_of_releases_has_the_versions_that_were_published(releases):
    planner = plan_releases(releases)
    for name, release in releases.items():
        composition = planner.catalogue.composition(name)
        found = {v.id: planner.version(composition, v) for v in composition.views.values()}
        assert found == dict(release.versions)


def test_releases_of_two_programs_are_no_state(releases):
    (name, release), *_ = releases.items()
    older = msgspec.structs.replace(release, pipeline=0)
    with pytest.raises(ReleaseUnreadable, match="not published together"):
        plan_releases({name: release, "older": older})


def test_another_schema_is_said_to_be_one(releases):
    (release, *_) = releases.values()
    data = msgspec.msgpack.encode(msgspec.structs.replace(release, schema=RELEASE_SCHEMA + 1))
    with pytest.raises(ReleaseUnreadable, match=f"has schema {RELEASE_SCHEMA + 1}"):
        decode_release("releases/x", data)


def test_any_byte_changed_or_cut_is_damage(releases):
    state = State(
        schema=STATE_SCHEMA, number=1, published_s=0, restores=None, releases={"ring": "0" * 64}
    )
    data = encode_state(state)
    assert decode_state(LIVE, data) == state
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        for torn in (changed, data[:at]):
            with pytest.raises(ReleaseUnreadable, match="damaged"):
                check_whole(LIVE, torn)


@pytest.mark.parametrize("name", ["..", "a/..", "../a", "a//b", "/a", "a/", "A", "a b", "a\n", ""])
def test_no_name_leads_out_of_a_store(name):
    assert not is_name(name)
