"""The grammar of paths, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.errors import FormatNotOffered, InvalidRequest, MalformedPath
from render_service.formats import Format
from render_service.planning.url import (
    AliasPath,
    ImagePath,
    build_alias_path,
    build_image_path,
    parse_alias_path,
    parse_image_path,
)

PATH = "/r/ring/hero/3f9a2c71d0/metal=gold,shape=oval/800.avif"

ids = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,5}){0,2}", fullmatch=True)
selections = st.dictionaries(ids, ids, max_size=6).map(lambda found: tuple(found.items()))
versions = st.from_regex(r"[0-9a-f]{10}", fullmatch=True)
images = st.builds(
    ImagePath,
    composition=ids,
    view=ids,
    region=st.none() | ids,
    version=versions,
    selection=selections,
    width_px=st.integers(1, 99_999),
    format=st.sampled_from(Format),
)
aliases = st.builds(
    AliasPath,
    composition=ids,
    view=ids,
    region=st.none() | ids,
    width_px=st.integers(1, 99_999),
    format=st.none() | st.sampled_from(Format),
)


@given(images)
def test_a_built_path_parses_to_what_it_was_built_from(image):
    assert parse_image_path(build_image_path(image)) == image


@given(aliases)
def test_a_built_alias_parses_to_what_it_was_built_from(alias):
    assert parse_alias_path(build_alias_path(alias)) == alias


@given(st.text(max_size=60).map(lambda tail: "/r/" + tail) | st.text(max_size=60))
def test_any_text_either_parses_to_a_path_that_spells_it_or_is_refused(path):
    try:
        image = parse_image_path(path)
    except InvalidRequest:
        return
    assert build_image_path(image) == path


def test_a_path_is_taken_apart():
    image = parse_image_path("/r/ring/hero:stone/3f9a2c71d0/metal=gold,shape=oval/800.avif")

    assert image == ImagePath(
        composition="ring",
        view="hero",
        region="stone",
        version="3f9a2c71d0",
        selection=(("metal", "gold"), ("shape", "oval")),
        width_px=800,
        format=Format.AVIF,
    )


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (PATH.replace("/r/", "/r//"), "form"),
        (PATH + "/", "form"),
        (PATH.replace("ring", "Ring"), "composition"),
        (PATH.replace("ring", ".."), "composition"),
        (PATH.replace("hero", "hero:"), "view"),
        (PATH.replace("hero", "hero:a:b"), "view"),
        (PATH.replace("3f9a2c71d0", "3F9A2C71D0"), "version"),
        (PATH.replace("3f9a2c71d0", "3f9a2c71d"), "version"),
        (PATH.replace("shape=oval", "metal=oval"), "configuration"),
        (PATH.replace("shape=oval", "shape"), "configuration"),
        (PATH.replace("shape=oval", "shape="), "configuration"),
        (PATH.replace("shape=oval", ""), "configuration"),
        (PATH.replace("metal=gold,shape=oval", ""), "configuration"),
        (PATH.replace("shape=oval", "shape=oval=oval"), "configuration"),
        (PATH.replace("800", "0800"), "width"),
        (PATH.replace("800", "-800"), "width"),
        (PATH.replace("800", "8e2"), "width"),
        (PATH.replace("800", "٨٠٠"), "width"),
        (PATH.replace("800", "9" * 40), "width"),
        (PATH.replace("800.avif", "800"), "file"),
        (PATH.replace("gold", "g" * 3000), "form"),
    ],
)
def test_a_malformed_part_is_named(wrong, part):
    with pytest.raises(MalformedPath) as refused:
        parse_image_path(wrong)

    assert refused.value.facts["part"] == part


@pytest.mark.parametrize("extension", ["gif", "AVIF", "", "avif.webp", "jpeg", "auto"])
def test_an_extension_that_is_not_offered_is_named_with_those_that_are(extension):
    with pytest.raises(FormatNotOffered) as refused:
        parse_image_path(PATH.replace("avif", extension))

    assert refused.value.facts["offered"] == ["avif", "webp", "jpg", "png"]


def test_an_alias_may_leave_the_format_open():
    assert parse_alias_path("/img/ring/hero/800.auto").format is None
