import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from render_service.errors import RenderFailed
from render_service.formats import FACTS, Format
from render_service.pixels import encode as module
from render_service.pixels.compose import Canvas
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.vips import pyvips
from render_service.planning.plan import Output

ALPHA = [file_format for file_format in Format if FACTS[file_format].alpha]


def smooth(bands: int) -> Canvas:
    y, x = np.mgrid[0:48, 0:64]
    planes = [120 + 100 * np.sin(x / (9 + k)) * np.cos(y / (7 + k)) for k in range(bands)]
    return np.stack(planes, axis=2).astype(np.uint8)


def output(file_format: Format, **changes: int) -> Output:
    profile = replace(PROFILES[file_format], **changes)
    return Output(format=file_format, width_px=64, height_px=48, profile=profile)


def read(data: bytes) -> np.ndarray:
    return pyvips.Image.new_from_buffer(data, "").numpy()


@pytest.mark.parametrize("file_format", Format)
def test_each_format_gives_back_nearly_the_canvas(file_format):
    canvas = smooth(3)

    back = read(encode(canvas, output(file_format)))

    assert back.shape == canvas.shape
    assert abs(back.astype(int) - canvas).mean() < 2.5


def test_png_gives_back_exactly_the_canvas():
    canvas = smooth(4)

    assert np.array_equal(read(encode(canvas, output(Format.PNG))), canvas)


@pytest.mark.parametrize("file_format", ALPHA)
def test_alpha_is_kept_where_the_format_holds_it(file_format):
    canvas = smooth(4)

    back = read(encode(canvas, output(file_format)))

    # AVIF codes alpha with the loss of the picture.
    assert abs(back[..., 3].astype(int) - canvas[..., 3]).max() <= 12


@pytest.mark.parametrize("file_format", ALPHA)
def test_alpha_may_have_an_effort_of_its_own(file_format):
    def encoded(bands: int, **efforts: int) -> bytes:
        return encode(smooth(bands), output(file_format, **efforts))

    assert encoded(4, effort=1, alpha_effort=6) == encoded(4, effort=6, alpha_effort=UNSET)
    assert encoded(3, effort=1, alpha_effort=6) == encoded(3, effort=1, alpha_effort=UNSET)
    assert encoded(4, effort=1, alpha_effort=UNSET) != encoded(4, effort=6, alpha_effort=UNSET)


def test_a_canvas_with_alpha_is_refused_for_jpeg():
    with pytest.raises(RenderFailed, match="has alpha, which jpg cannot hold"):
        encode(smooth(4), output(Format.JPEG))


def test_a_canvas_of_another_size_than_its_output_is_refused():
    with pytest.raises(RenderFailed, match="64 by 48 px; its output is 64 by 47"):
        encode(smooth(3), replace(output(Format.PNG), height_px=47))


@pytest.mark.parametrize("file_format", Format)
def test_equal_canvases_give_equal_bytes(file_format):
    first, second = (encode(smooth(3), output(file_format)) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("file_format", Format)
def test_a_file_carries_no_metadata(file_format):
    data = encode(smooth(3), output(file_format))

    assert not [word for word in (b"Exif", b"http:", b"ICC", b"iCCP", b"tIME") if word in data]


def test_an_avif_says_that_it_is_srgb():
    data = encode(smooth(3), output(Format.AVIF))

    at = data.index(b"mdat")
    header = "".join(f"{byte:08b}" for byte in data[at : at + 24])
    # ITU-T H.273: primaries 1 of BT.709 and sRGB, transfer 13 of sRGB, matrix 6 of BT.601; then
    # full range.
    assert f"{1:08b}{13:08b}{6:08b}1" in header


def test_a_jpeg_is_progressive():
    # ITU-T T.81, table B.1: SOF2 begins a progressive frame.
    assert b"\xff\xc2" in encode(smooth(3), output(Format.JPEG))


@pytest.mark.parametrize("file_format", [Format.AVIF, Format.JPEG])
def test_full_chroma_keeps_a_red_edge_that_half_chroma_loses(file_format):
    canvas = np.full((48, 64, 3), 240, np.uint8)
    canvas[:, 1::2] = (160, 10, 25)

    full, half = (
        abs(read(encode(canvas, output(file_format, chroma=chroma))).astype(int) - canvas).mean()
        for chroma in (444, 420)
    )

    assert full < half / 2


def test_every_format_has_a_profile_and_an_encoder():
    assert set(PROFILES) == set(Format)
    assert set(module._ENCODERS) == set(Format)
