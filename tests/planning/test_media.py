"""Addresses of photographs, and the plans behind them."""

import pytest

from render_service.errors import (
    AlphaNotOffered,
    FormatNotOffered,
    MalformedPath,
    WidthNotOffered,
)
from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import Limits, check_plan
from render_service.planning.key import derive_key
from render_service.planning.media import (
    SET_BYTES_MAX,
    MediaPath,
    PhotoSet,
    build_media_path,
    decode_set,
    encode_set,
    media_version,
    parse_media_path,
    plan_photo,
)

PHOTOS = PhotoSet(photo="a" * 64, master="b" * 64, width_px=1000, height_px=667, alpha=False)
CUT_OUT = PhotoSet(photo="a" * 64, master="b" * 64, width_px=100, height_px=50, alpha=True)


def plan(photos=PHOTOS, width=480, file_format=Format.WEBP):
    return plan_photo(photos, width, file_format, PROFILES[file_format])


@pytest.mark.parametrize("file_format", list(Format))
def test_a_path_is_read_as_it_is_built(file_format):
    path = MediaPath(set="c" * 64, version="0123456789", width_px=480, format=file_format)
    assert parse_media_path(build_media_path(path)) == path


@pytest.mark.parametrize("width", ["0", "01", "100000", "-1", "1e3", "", "٣"])
def test_another_spelling_of_a_width_is_none(width):
    with pytest.raises(MalformedPath):
        parse_media_path(f"/media/{'c' * 64}/0123456789/{width}.webp")


def test_an_extension_that_is_none_of_ours_is_named():
    with pytest.raises(FormatNotOffered, match="gif"):
        parse_media_path(f"/media/{'c' * 64}/0123456789/160.gif")


def test_a_set_comes_back_from_its_document_and_nothing_else_does():
    digest, data = encode_set(PHOTOS)
    assert len(digest) == 64
    assert len(data) < SET_BYTES_MAX
    assert decode_set(data) == PHOTOS
    for other in (b"", b"{}", b"\xff\xd8\xff", data[:-1], data.replace(b"1000", b"0"), b"[]"):
        assert decode_set(other) is None


def test_every_picture_of_a_set_can_be_drawn():
    for photos in (PHOTOS, CUT_OUT):
        for width in photos.widths:
            for file_format in photos.formats:
                check_plan(plan(photos, width, file_format), Limits())


def test_widths_end_at_the_photograph_and_a_small_one_offers_itself():
    assert PHOTOS.widths == (160, 240, 320, 480, 640, 800)
    assert CUT_OUT.widths == (100,)
    with pytest.raises(WidthNotOffered):
        plan(width=1080)


def test_a_transparent_one_is_offered_as_png_and_not_as_jpeg():
    assert CUT_OUT.formats[-1] is Format.PNG
    with pytest.raises(AlphaNotOffered):
        plan(CUT_OUT, 100, Format.JPEG)


def test_pictures_of_one_photograph_have_keys_of_their_own_that_stay():
    keys = {
        derive_key(plan(width=width, file_format=one)) for width in (160, 240) for one in Format
    }
    assert len(keys) == 8
    # What is stored under it is found again by the next release, or is not its picture.
    assert derive_key(plan()) == (
        "27f072b4a0fa89ad0700adb8c3c3348a172810ed9bdd5e6bb70eda360799cbe7.webp"
    )


def test_another_profile_gives_other_addresses():
    changed = PROFILES | {Format.WEBP: PROFILES[Format.PNG]}
    assert media_version(changed) != media_version(PROFILES)
