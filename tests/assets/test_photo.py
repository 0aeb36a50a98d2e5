"""What a photograph is made into: upright, sRGB, scaled in light, and nothing beside it."""

import numpy as np
import pytest
import pyvips

from render_service.pixels.limits import DecodeLimits
from render_service.pixels.photo import make_master, read_photo
from tests.assets.files import file_of, picture

LIMITS = DecodeLimits()


def master_of(data, **words):
    words = {"width_max_px": 3072, "pixels_max": 4096**2} | words
    return make_master(data, LIMITS, **words)


def pixels(master):
    image = pyvips.Image.new_from_buffer(master.data, "")
    return np.ndarray(
        buffer=image.write_to_memory(),
        dtype=np.uint8,
        shape=(image.height, image.width, image.bands),
    )


def turned(image, orientation):
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image


def flat(colour, interpretation="srgb", width=80, height=60):
    image = pyvips.Image.black(width, height, bands=len(colour)) + colour
    return image.cast("uchar").copy(interpretation=interpretation)


def test_a_plain_photograph_comes_back_to_the_byte():
    image = picture(80, 60)
    made = master_of(file_of("image/png", image))
    assert (made.width_px, made.height_px, made.alpha) == (80, 60, False)
    assert (pixels(made) == image.numpy()).all()


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [
        (1, (0, 0)),
        (2, (0, -1)),
        (3, (-1, -1)),
        (4, (-1, 0)),
        (5, (0, 0)),
        (6, (0, -1)),
        (7, (-1, -1)),
        (8, (-1, 0)),
    ],
)
def test_a_photograph_is_turned_as_its_camera_was(orientation, corner):
    # White in the stored upper left corner; EXIF 2.3 says where that is as it is seen.
    image = flat((0, 0, 0)).draw_rect([255, 255, 255], 0, 0, 8, 8, fill=True)
    made = master_of(file_of("image/tiff", turned(image, orientation)))
    size = (60, 80) if orientation > 4 else (80, 60)
    assert (made.width_px, made.height_px) == size
    assert pixels(made)[corner].tolist() == [255, 255, 255]
    assert int((pixels(made) == 255).all(axis=2).sum()) == 64


def test_nothing_but_the_pixels_is_kept():
    image = picture().copy()
    image.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitude", "48/1 8/1 0/1")
    made = master_of(file_of("image/jpeg", image, profile="srgb"))
    fields = set(pyvips.Image.new_from_buffer(made.data, "").get_fields())
    assert not {name for name in fields if "exif" in name or "icc" in name or "xmp" in name}


def test_a_wide_gamut_is_cut_to_srgb_and_what_lies_within_stays():
    srgb = flat((180, 90, 60))
    in_p3 = srgb.icc_transform("p3", input_profile="srgb", intent="relative")
    made = master_of(file_of("image/png", in_p3))
    assert np.abs(pixels(made).astype(int) - [180, 90, 60]).max() <= 2
    p3 = flat((0, 255, 0)).copy()
    p3.set_type(pyvips.GValue.blob_type, "icc-profile-data", in_p3.get("icc-profile-data"))
    green = pixels(master_of(file_of("image/png", p3)))[0, 0]
    assert green[1] == 255
    assert green[0] < 60


def test_a_cmyk_photograph_becomes_rgb():
    ink = flat((0, 255, 255, 0), "cmyk")
    red, green, blue = pixels(master_of(file_of("image/tiff", ink)))[0, 0]
    assert red > 180
    assert max(green, blue) < 90
    paper = flat((0, 0, 0, 0), "cmyk")
    assert pixels(master_of(file_of("image/jpeg", paper)))[0, 0].min() >= 250


@pytest.mark.parametrize("model", ["b-w", "grey16"])
def test_a_grey_photograph_becomes_rgb(model):
    bits = 16 if model == "grey16" else 8
    image = picture(bands=1, bits=bits, interpretation=model)
    made = pixels(master_of(file_of("image/png", image)))
    assert made.shape == (40, 60, 3)
    assert (made[..., 0] == made[..., 2]).all()


def test_sixteen_bits_are_rounded_and_not_cut():
    image = flat((0, 0, 0)).linear([1, 1, 1], [65535, 32896, 128]).cast("ushort")
    made = master_of(file_of("image/png", image.copy(interpretation="rgb16")))
    assert pixels(made)[0, 0].tolist() == [255, 128, 0]


def test_transparency_is_kept_and_what_is_all_opaque_has_none():
    half = flat((200, 100, 50, 128))
    assert pixels(master_of(file_of("image/png", half)))[0, 0].tolist() == [200, 100, 50, 128]
    assert master_of(file_of("image/png", half)).alpha
    assert not master_of(file_of("image/png", flat((200, 100, 50, 255)))).alpha


def test_what_is_wider_than_any_picture_is_scaled_down_in_light():
    # Black and white lines: half of the light is 188 of 255, and half of the numbers 128.
    rows = np.zeros((200, 400, 3), np.uint8)
    rows[::2] = 255
    data = file_of("image/png", pyvips.Image.new_from_array(rows).copy(interpretation="srgb"))
    made = master_of(data, width_max_px=100)
    assert (made.width_px, made.height_px) == (100, 50)
    assert abs(int(pixels(made)[25, 50, 0]) - 188) <= 2


def test_transparent_edges_do_not_darken_as_they_are_scaled():
    rows = np.zeros((64, 64, 4), np.uint8)
    rows[:, :32] = (255, 255, 255, 255)
    data = file_of("image/png", pyvips.Image.new_from_array(rows).copy(interpretation="srgb"))
    made = pixels(master_of(data, width_max_px=9))
    covered = made[made[..., 3] > 8]
    assert covered[:, :3].min() >= 250


@pytest.mark.parametrize("width", [3072, 3073, 4000, 6001])
def test_a_large_one_meets_the_widest_rung_exactly(width):
    data = file_of("image/jpeg", flat((90, 90, 90), width=width, height=width // 2))
    assert master_of(data).width_px == 3072


def test_a_long_one_stays_within_the_pixels_of_a_canvas():
    data = file_of("image/jpeg", flat((90, 90, 90), width=1000, height=6000))
    made = master_of(data, pixels_max=1_000_000)
    assert made.width_px * made.height_px <= 1_000_000
    assert abs(made.height_px / made.width_px - 6) < 0.02


def test_the_dominant_colour_is_that_of_most_of_it():
    image = flat((200, 30, 40)).draw_rect([20, 20, 200], 0, 0, 20, 20, fill=True)
    made = master_of(file_of("image/png", image))
    assert made.colour == "#c81e28"


def test_the_focus_is_where_something_is():
    image = flat((240, 240, 240), width=900, height=600)
    image = image.draw_rect([200, 30, 40], 700, 100, 90, 90, fill=True)
    across, down = master_of(file_of("image/png", image)).focus
    assert 0.7 < across < 0.95
    assert 0.05 < down < 0.45


def test_the_same_photograph_gives_the_same_master():
    data = file_of("image/jpeg", picture(400, 300), Q=90)
    assert master_of(data, width_max_px=160) == master_of(data, width_max_px=160)
    assert read_photo(data, LIMITS).bands == 3
