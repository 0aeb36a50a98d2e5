import struct
import zlib

import numpy as np
import pytest

from render_service.errors import AssetTooLarge, AssetUndecodable
from render_service.pixels.decode import decode
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.raster import Raster
from render_service.pixels.vips import pyvips
from render_service.planning.plan import ONE, Encoding, Placement
from tests.pixels.builders import image, noise, placement, png, tiff_pages


def decoded(data: bytes, where: Placement, limits: DecodeLimits | None = None) -> Raster:
    return decode(data, where, limits or DecodeLimits(), "hero/band.tif")


def refusal(data: bytes, where: Placement | None = None) -> str:
    with pytest.raises(AssetUndecodable) as caught:
        decoded(data, where or placement(encoding=Encoding.SRGB))
    return str(caught.value)


def test_a_file_over_the_limit_on_bytes_is_refused_with_its_name():
    with pytest.raises(AssetTooLarge, match=r"hero/band\.tif has 101 bytes; the most is 100"):
        decoded(b"x" * 101, placement(), DecodeLimits(max_bytes=100))


def bomb(width: int, height: int) -> bytes:
    """A PNG of 70 bytes whose header promises more pixels than it holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_header_of_too_many_pixels_is_refused_before_decoding():
    with pytest.raises(AssetTooLarge, match="900000000 pixels; the most is 50000000"):
        decoded(bomb(30000, 30000), placement())


def test_a_tiff_of_too_many_pages_is_refused_by_its_first_one():
    data = tiff_pages([noise(1, 8, 16, 3)] * 5)

    with pytest.raises(AssetTooLarge, match="640 pixels; the most is 600"):
        decoded(data, placement(height_px=8, pages=4), DecodeLimits(max_pixels=600))


def test_another_size_is_refused_with_both_sizes():
    said = refusal(png(noise(1, 16, 15, 3)))

    assert "hero/band.tif is 15 by 16 px in all; needed: 16 by 16" in said


def test_other_bands_are_refused_with_what_would_do():
    said = refusal(png(noise(1, 64, 16, 2)), placement(pages=4, encoding=Encoding.ROOT))

    assert "has 2 bands; needed: 3 or 4, the last one alpha" in said


def test_eight_bits_are_refused_for_a_linear_layer():
    said = refusal(png(np.full((16, 16, 3), 7, np.uint8)), placement())

    assert "full scale 255; needed: 16 bits" in said


def test_cmyk_is_refused():
    cmyk = image(np.full((16, 16, 3), 90, np.uint8)).icc_transform("cmyk", input_profile="srgb")

    said = refusal(cmyk.jpegsave_buffer())

    assert "is in cmyk; needed: RGB or grey" in said


def test_a_grey_picture_has_not_the_bands_that_a_basis_needs():
    identity = ((ONE, 0, 0), (0, ONE, 0), (0, 0, ONE))
    painted = placement(encoding=Encoding.SRGB, paint=identity)

    said = refusal(png(np.full((16, 16, 1), 90, np.uint8)), painted)

    assert "has 1 bands; needed: 3 or 4, the last one alpha" in said


@pytest.mark.parametrize("save", ["jpegsave_buffer", "tiffsave_buffer"])
def test_a_picture_that_viewers_turn_is_refused(save):
    upside_down = image(np.full((16, 16, 3), 90, np.uint8)).copy()
    upside_down.set_type(pyvips.GValue.gint_type, "orientation", 3)

    said = refusal(getattr(upside_down, save)())

    assert "is to be turned (orientation 3); needed: one saved upright" in said


def test_samples_of_floating_point_are_refused():
    data = image(noise(1, 16, 16, 3)).cast("float").tiffsave_buffer()

    said = refusal(data)

    assert "samples of type float; needed: 8 or 16 bits" in said


HOSTILE = {
    "empty": b"",
    "text": b"Dear sir or madam, this is not a picture.",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"/>',
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "gif": b"GIF89a\x10\x00\x10\x00\x80\x00\x00",
    "heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "vips": b"\x08\xf2\xa6\xb6" + bytes(60),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_none_of_the_five_types_is_refused(kind):
    said = refusal(HOSTILE[kind])

    assert "hero/band.tif" in said
    assert "needed: one of AVIF, PNG, TIFF, WebP, JPEG" in said


MAGIC = {
    "png": b"\x89PNG\r\n\x1a\n",
    "tif": b"II*\0",
    "webp": b"RIFF\x40\0\0\0WEBP",
    "jpg": b"\xff\xd8\xff",
    "avif": b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif",
}


@pytest.mark.parametrize("kind", MAGIC)
def test_text_behind_the_first_bytes_of_a_picture_is_refused(kind):
    said = refusal(MAGIC[kind] + HOSTILE["text"] * 4)

    assert "hero/band.tif is damaged" in said


def files() -> dict[str, bytes]:
    deep = image(noise(2, 16, 16, 3))
    shallow = (deep / 256).cast("uchar").copy(interpretation="srgb")
    return {
        "png": deep.pngsave_buffer(bitdepth=16),
        "tif": deep.tiffsave_buffer(compression="deflate"),
        "avif": deep.heifsave_buffer(compression="av1", bitdepth=10, Q=90),
        "webp": shallow.webpsave_buffer(lossless=True),
        "jpg": shallow.jpegsave_buffer(),
    }


@pytest.mark.parametrize("kind", MAGIC)
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_file_is_refused(kind, share):
    whole = files()[kind]

    said = refusal(whole[: int(len(whole) * share)])

    assert "hero/band.tif is damaged" in said


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_flipped_bit_is_refused_where_the_format_has_a_checksum(kind):
    whole = bytearray(files()[kind])
    whole[len(whole) // 2] ^= 4

    said = refusal(bytes(whole))

    assert "hero/band.tif is damaged" in said


@pytest.mark.parametrize("kind", MAGIC)
def test_flipped_bits_anywhere_are_refused_or_give_a_picture_of_the_size_asked_for(kind):
    whole, dice = files()[kind], np.random.default_rng(3)
    for _ in range(40):
        flipped = bytearray(whole)
        flipped[dice.integers(len(flipped))] ^= 1 << dice.integers(8)
        try:
            raster = decoded(bytes(flipped), placement(encoding=Encoding.SRGB))
        except (AssetUndecodable, AssetTooLarge) as refused:
            assert "hero/band.tif" in str(refused)  # noqa: PT017 # either outcome is right
        else:
            assert raster.width_px <= 16
            assert raster.height_px <= 16


def test_loaders_that_libvips_does_not_trust_are_blocked():
    with pytest.raises(pyvips.Error, match="blocked"):
        pyvips.Image.svgload_buffer(HOSTILE["svg"])
