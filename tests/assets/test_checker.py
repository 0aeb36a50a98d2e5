"""What strangers send is opened in a process of its own, and its death is an answer."""

import os
import signal
import struct
import zlib

import psutil
import pytest
import pyvips

from render_service.adapters import picture_checker
from render_service.adapters.picture_checker import Bounds, PictureChecker
from render_service.assets.model import AssetKind, MediaType
from render_service.errors import FileRefused, RefusedFor
from render_service.pixels.limits import DecodeLimits
from tests.assets.files import (
    announced,
    archive,
    chunk,
    file_of,
    picture,
    png_of_zeros,
    tiff_of_pages,
)

PATIENT = Bounds(decode=DecodeLimits(), width_max_px=3072, pixels_max=4096**2)
LAYER, PHOTO = AssetKind.LAYER, AssetKind.PHOTO


@pytest.fixture
def checker():
    return PictureChecker(PATIENT)


async def refusal(checker, data, media_type=MediaType.PNG, kind=LAYER):
    with pytest.raises(FileRefused) as caught:
        await checker.check(announced(data, media_type, kind), data)
    return caught.value


@pytest.mark.parametrize(
    ("media_type", "image", "words", "bits"),
    [
        (MediaType.PNG, picture(bands=4), {}, 8),
        (MediaType.TIFF, picture(bands=3, bits=16, interpretation="rgb16"), {}, 16),
        (MediaType.AVIF, picture(), {}, 8),
    ],
)
async def test_a_sound_layer_passes_with_its_facts(checker, media_type, image, words, bits):
    data = file_of(media_type, image, **words)
    facts = await checker.check(announced(data, media_type), data)
    assert (facts.width_px, facts.height_px, facts.pages) == (60, 40, 1)
    assert (facts.bands, facts.bits, facts.media_type) == (image.bands, bits, media_type)


async def test_a_layer_of_pages_passes(checker):
    data = tiff_of_pages(6)
    facts = await checker.check(announced(data, MediaType.TIFF), data)
    assert (facts.width_px, facts.height_px, facts.pages) == (8, 8, 6)


@pytest.mark.parametrize(
    ("data", "media_type", "kind", "reason"),
    [
        (file_of(MediaType.PNG) + archive(), MediaType.PNG, LAYER, RefusedFor.TRAILING),
        (png_of_zeros(50_000, 50_000), MediaType.PNG, LAYER, RefusedFor.PIXELS),
        (png_of_zeros(50_000, 50_000), MediaType.PNG, PHOTO, RefusedFor.PIXELS),
        (tiff_of_pages(7), MediaType.TIFF, LAYER, RefusedFor.PAGES),
        (tiff_of_pages(2), MediaType.TIFF, PHOTO, RefusedFor.PAGES),
        (
            file_of(MediaType.JPEG, picture(bands=4, interpretation="cmyk")),
            MediaType.JPEG,
            LAYER,
            RefusedFor.COLOUR,
        ),
        (
            file_of(MediaType.TIFF, picture(bands=8, interpretation="multiband")),
            MediaType.TIFF,
            LAYER,
            RefusedFor.COLOUR,
        ),
        (
            file_of(MediaType.TIFF, picture(bands=5)),
            MediaType.TIFF,
            PHOTO,
            RefusedFor.COLOUR,
        ),
        (
            file_of(MediaType.TIFF, picture().cast("float")),
            MediaType.TIFF,
            LAYER,
            RefusedFor.DEPTH,
        ),
        (file_of(MediaType.PNG, picture(900, 60)), MediaType.PNG, PHOTO, RefusedFor.PIXELS),
    ],
)
async def test_what_can_be_none_is_refused_with_its_reason(checker, data, media_type, kind, reason):
    refused = await refusal(checker, data, media_type, kind)
    assert refused.reason is reason
    assert refused.explanation.endswith(".")


async def test_a_layer_that_viewers_turn_is_refused(checker):
    turned = picture().copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", 6)
    data = file_of(MediaType.JPEG, turned)
    assert (await refusal(checker, data, MediaType.JPEG)).reason is RefusedFor.TURNED


# The others have no checks inside: what is damaged there is another picture.
@pytest.mark.parametrize("media_type", [MediaType.PNG])
@pytest.mark.parametrize("kind", [LAYER, PHOTO])
async def test_pixels_that_are_damaged_inside_a_sound_container_are_refused(
    checker, media_type, kind
):
    whole = bytearray(file_of(media_type, picture(400, 400)))
    middle = len(whole) // 2
    whole[middle : middle + 400] = bytes(400)
    refused = await refusal(checker, bytes(whole), media_type, kind)
    assert refused.reason is RefusedFor.DAMAGED


@pytest.mark.parametrize("kind", [LAYER, PHOTO])
async def test_a_jpeg_whose_end_was_set_in_its_middle_is_refused(checker, kind):
    whole = file_of(MediaType.JPEG, picture(400, 400))
    data = whole[: len(whole) // 2] + b"\xff\xd9"
    assert (await refusal(checker, data, MediaType.JPEG, kind)).reason is RefusedFor.DAMAGED


async def test_a_png_without_its_last_rows_is_refused(checker):
    header = struct.pack(">IIBBBBB", 100, 100, 8, 0, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(101 * 50)))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")
    assert (await refusal(checker, data)).reason is RefusedFor.DAMAGED


async def test_what_takes_longer_than_it_may_is_ended_and_refused(tmp_path):
    checker = PictureChecker(
        Bounds(decode=DecodeLimits(), width_max_px=1, pixels_max=1, wall_s=0.05)
    )
    data = file_of(MediaType.PNG)
    assert (await refusal(checker, data)).reason is RefusedFor.TOO_MUCH
    assert not [
        child
        for child in psutil.Process().children()
        if "picture_child" in " ".join(child.cmdline())
    ]


async def test_what_takes_more_processor_than_it_may_is_ended_by_the_kernel():
    bounds = Bounds(
        decode=DecodeLimits(max_pixels=10**9), width_max_px=1, pixels_max=1, processor_s=1
    )
    data = png_of_zeros(30_000, 30_000)
    assert (await refusal(PictureChecker(bounds), data)).reason is RefusedFor.TOO_MUCH


async def test_what_takes_more_memory_than_it_may_is_refused(monkeypatch):
    monkeypatch.setattr(picture_checker, "_BYTES_A_PIXEL", 1)
    monkeypatch.setattr(picture_checker, "_OVERHEAD_BYTES", 250 * 2**20)
    bounds = Bounds(
        decode=DecodeLimits(max_bytes=1, max_pixels=200_000_000), width_max_px=1, pixels_max=1
    )
    data = png_of_zeros(12_000, 12_000)
    refused = await refusal(PictureChecker(bounds), data)
    assert refused.reason in (RefusedFor.TOO_MUCH, RefusedFor.PIXELS, RefusedFor.DAMAGED)


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
async def test_a_process_that_dies_over_a_file_refuses_it_and_nothing_else(
    checker, monkeypatch, how
):
    program = f"import os; os.kill(os.getpid(), {int(how)})"
    monkeypatch.setattr(picture_checker, "COMMAND", ("-c", program))
    data = file_of(MediaType.PNG)
    refused = await refusal(checker, data)
    assert refused.reason is RefusedFor.TOO_MUCH
    assert "broke down" in refused.explanation
    monkeypatch.undo()
    assert await checker.check(announced(data), data)


async def test_the_process_knows_no_secret_of_ours(checker, monkeypatch, tmp_path):
    monkeypatch.setenv("RENDER_SIGNING_KEYS", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = picture_checker._environment()
    assert "secret" not in found.values()
    assert "PATH" in found
    assert os.environ["RENDER_SIGNING_KEYS"] == "secret"
