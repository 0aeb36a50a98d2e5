"""A file is one still picture of its kind from its first byte to its last, or it is refused."""

import contextlib
import zlib

import pytest

from render_service.assets.containers import METADATA_BYTES_MAX, sniff, walk
from render_service.assets.model import MediaType
from render_service.errors import FileRefused, RefusedFor
from tests.assets.files import (
    SAVERS,
    animation,
    archive,
    chunk,
    file_of,
    jpeg_segments,
    picture,
    tiff_in_a_circle,
    tiff_of_pages,
    with_chunk,
)

SCRIPT = b"<?php system($_GET['c']); ?>"
WALKED = [MediaType.AVIF, MediaType.PNG, MediaType.TIFF, MediaType.WEBP, MediaType.JPEG]


def refusal(data, media_type):
    with pytest.raises(FileRefused) as caught:
        walk(data, media_type)
    return caught.value


@pytest.mark.parametrize("media_type", list(MediaType))
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_a_sound_file_passes(media_type, bands):
    model = "b-w" if bands == 1 else "srgb"
    if not (bands == 4 and media_type is MediaType.JPEG):
        walk(file_of(media_type, picture(bands=bands, interpretation=model)), media_type)


@pytest.mark.parametrize(
    ("media_type", "words"),
    [
        (MediaType.TIFF, {"bigtiff": True}),
        (MediaType.TIFF, {"tile": True, "pyramid": True, "subifd": True}),
        (MediaType.TIFF, {"compression": "deflate"}),
        (MediaType.JPEG, {"interlace": True}),
        (MediaType.JPEG, {"restart_interval": 1}),
        (MediaType.PNG, {"interlace": True, "profile": "srgb"}),
        (MediaType.WEBP, {"profile": "srgb"}),
        (MediaType.AVIF, {"profile": "srgb"}),
        (MediaType.JPEG, {"profile": "srgb"}),
    ],
)
def test_a_sound_file_passes_however_it_was_saved(media_type, words):
    walk(file_of(media_type, picture(300, 200), **words), media_type)


@pytest.mark.parametrize("said", WALKED)
@pytest.mark.parametrize("made", WALKED)
def test_a_renamed_file_is_refused_and_told_what_it_is(made, said):
    if made is not said:
        refused = refusal(file_of(made), said)
        assert refused.reason is RefusedFor.TYPE
        assert f"It is {made.words}" in refused.explanation


@pytest.mark.parametrize("data", [b"", b"x", b"GIF89a" + bytes(50), b"%PDF-1.7", archive()])
def test_what_is_none_of_the_kinds_is_refused(data):
    assert sniff(data) is None
    assert refusal(data, MediaType.PNG).reason is RefusedFor.TYPE


@pytest.mark.parametrize("media_type", WALKED)
@pytest.mark.parametrize("tail", [archive(), SCRIPT, b"\n<html><script>alert(1)</script>", b"x"])
def test_what_follows_the_end_is_refused(media_type, tail):
    refused = refusal(file_of(media_type) + tail, media_type)
    assert refused.reason in (RefusedFor.TRAILING, RefusedFor.FOREIGN)


@pytest.mark.parametrize("media_type", WALKED)
def test_a_second_picture_behind_the_first_is_refused(media_type):
    assert refusal(2 * file_of(media_type), media_type).reason is RefusedFor.TRAILING


@pytest.mark.parametrize("media_type", WALKED)
def test_no_file_cut_short_passes(media_type):
    whole = file_of(media_type)
    for length in {*range(12, len(whole), max(1, len(whole) // 40)), len(whole) - 1}:
        if whole[length:].strip(b"\0"):
            assert refusal(whole[:length], media_type).reason in (
                RefusedFor.DAMAGED,
                RefusedFor.TRAILING,
            )


@pytest.mark.parametrize(
    "data",
    [
        with_chunk(file_of(MediaType.PNG), b"prVt", archive() + b"\0" * 50),
        with_chunk(file_of(MediaType.PNG), b"tEXt", b"a\0" + SCRIPT),
        with_chunk(file_of(MediaType.PNG), b"tEXt", b"a\0%PDF-1.7"),
        jpeg_segments(file_of(MediaType.JPEG), 0xFE, SCRIPT),
        jpeg_segments(file_of(MediaType.JPEG), 0xFE, b"%PDF-1.4"),
        jpeg_segments(file_of(MediaType.JPEG), 0xFE, b"<script>"),
    ],
)
def test_what_is_another_file_at_the_same_time_is_refused(data):
    assert refusal(data, sniff(data)).reason is RefusedFor.FOREIGN


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"tEXt", b"eXIf", b"iTXt", b"iTXt-packed"])
def test_metadata_that_is_large_or_grows_large_is_refused(kind):
    large = bytes(METADATA_BYTES_MAX + 1)
    bodies = {
        b"iCCP": b"icc\0\0" + zlib.compress(3 * large),
        b"zTXt": b"text\0\0" + zlib.compress(3 * large),
        b"iTXt-packed": b"text\0\1\0en\0\0" + zlib.compress(3 * large),
    }
    data = with_chunk(file_of(MediaType.PNG), kind[:4], bodies.get(kind, large))
    assert refusal(data, MediaType.PNG).reason is RefusedFor.METADATA


@pytest.mark.parametrize("marker", [0xE1, 0xE2, 0xED, 0xFE])
def test_a_jpeg_of_many_large_segments_is_refused(marker):
    data = jpeg_segments(file_of(MediaType.JPEG), marker, b"x" * 65_000, times=70)
    assert refusal(data, MediaType.JPEG).reason is RefusedFor.METADATA


def test_an_animation_is_refused():
    webp = animation(".webp")
    assert refusal(webp, MediaType.WEBP).reason is RefusedFor.ANIMATED
    apng = with_chunk(file_of(MediaType.PNG), b"acTL", bytes(8))
    assert refusal(apng, MediaType.PNG).reason is RefusedFor.ANIMATED
    avif = file_of(MediaType.AVIF).replace(b"ftypavif", b"ftypavis", 1)
    assert refusal(avif, MediaType.AVIF).reason is RefusedFor.ANIMATED


def test_a_tiff_without_end_is_refused():
    assert refusal(tiff_in_a_circle(), MediaType.TIFF).reason is RefusedFor.PAGES
    assert refusal(tiff_of_pages(200), MediaType.TIFF).reason is RefusedFor.PAGES


def test_pages_of_a_tiff_within_bounds_pass():
    walk(tiff_of_pages(6), MediaType.TIFF)


def test_padding_behind_the_end_passes():
    for media_type in SAVERS:
        if media_type is not MediaType.AVIF:
            walk(file_of(media_type) + bytes(100), media_type)


def test_further_pictures_that_an_index_announces_pass_and_an_archive_behind_them_does_not():
    indexed = jpeg_segments(file_of(MediaType.JPEG), 0xE2, b"MPF\0" + bytes(80))
    walk(indexed + file_of(MediaType.JPEG), MediaType.JPEG)
    tailed = indexed + file_of(MediaType.JPEG) + archive()
    assert refusal(tailed, MediaType.JPEG).reason is RefusedFor.TRAILING


@pytest.mark.parametrize("media_type", WALKED)
def test_no_byte_that_is_changed_makes_the_walk_fail_otherwise(media_type):
    whole = file_of(media_type, picture(16, 16))
    for at in range(len(whole)):
        for value in (0, 1, 0x7F, 0xFF):
            changed = whole[:at] + bytes([value]) + whole[at + 1 :]
            with contextlib.suppress(FileRefused):
                walk(changed, media_type)


def test_a_png_whose_chunk_promises_what_is_not_there_is_refused():
    data = file_of(MediaType.PNG)[:33] + (2**31).to_bytes(4, "big") + b"IDAT" + bytes(100)
    assert refusal(data, MediaType.PNG).reason is RefusedFor.DAMAGED
    assert chunk(b"IEND", b"")
