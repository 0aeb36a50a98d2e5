import numpy as np
import pytest

from render_service.pixels.decode import decode
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.raster import Raster
from render_service.planning.plan import ONE, Encoding, Placement
from tests.pixels.builders import image, noise, placement, png, tiff_pages


def decoded(data: bytes, where: Placement) -> Raster:
    return decode(data, where, DecodeLimits(), "hero/band.tif")


def test_linear_samples_are_taken_as_they_are():
    pixels = noise(1, 16, 16, 3)

    raster = decoded(png(pixels), placement())

    assert np.array_equal(raster.light, pixels)


def test_a_file_without_alpha_is_opaque_everywhere():
    pixels = np.zeros((16, 16, 3), np.uint16)

    raster = decoded(png(pixels), placement())

    assert (raster.width_px, raster.height_px) == (16, 16)
    assert (raster.alpha == ONE).all()


def test_alpha_of_a_linear_file_has_the_scale_of_its_light():
    pixels = np.full((16, 16, 4), 8192, np.uint16)

    raster = decoded(png(pixels), placement())

    assert (raster.alpha == ONE // 2).all()
    assert (raster.light == 8192).all()


def test_root_samples_are_squared_and_reach_four_at_full_scale():
    pixels = np.zeros((16, 16, 4), np.uint16)
    pixels[0, 0] = (65535, 32768, 16384, 65535)
    pixels[15, 15] = (0, 0, 0, 65535)

    raster = decoded(png(pixels), placement(encoding=Encoding.ROOT))

    assert raster.light[0, 0].tolist() == [65535, 16385, 4096]
    assert raster.alpha[0, 0] == ONE


@pytest.mark.parametrize("bits", [10, 12])
def test_full_scale_of_an_avif_is_that_of_its_own_depth(bits):
    full = np.full((16, 16, 3), 65535, np.uint16)
    data = image(full).heifsave_buffer(compression="av1", bitdepth=bits, lossless=True, effort=0)

    raster = decoded(data, placement(encoding=Encoding.ROOT))

    assert (raster.light == 65535).all()


def test_eight_bit_srgb_becomes_linear_light():
    pixels = np.full((16, 16, 3), (255, 188, 0), np.uint8)

    raster = decoded(png(pixels), placement(encoding=Encoding.SRGB))

    # 188/255 is 0.5029 in linear light.
    assert raster.light[3, 3].tolist() == [ONE, round(0.502886 * ONE), 0]


def test_sixteen_bit_srgb_becomes_linear_light():
    pixels = np.full((16, 16, 3), (65535, 188 * 257, 0), np.uint16)

    raster = decoded(png(pixels), placement(encoding=Encoding.SRGB))

    assert raster.light[3, 3].tolist() == [ONE, round(0.502886 * ONE), 0]


def test_straight_alpha_is_multiplied_in_in_linear_light():
    pixels = np.full((16, 16, 4), (255, 188, 0, 51), np.uint8)

    raster = decoded(png(pixels), placement(encoding=Encoding.SRGB))

    assert raster.alpha[0, 0] == round(0.2 * ONE)
    assert raster.light[0, 0].tolist() == [round(0.2 * ONE), round(0.2 * 0.502886 * ONE), 0]


@pytest.mark.parametrize("bands", [1, 2])
def test_a_grey_picture_stands_for_an_rgb_one(bands):
    pixels = np.full((16, 16, bands), 255, np.uint8)

    raster = decoded(png(pixels), placement(encoding=Encoding.SRGB))

    assert raster.bands == 3
    assert (raster.light == ONE).all()


def test_an_embedded_profile_is_honoured():
    p3 = np.full((16, 16, 3), (200, 60, 60), np.uint8)
    tagged = image(p3).icc_transform("p3", input_profile="srgb", intent="relative")
    data = tagged.pngsave_buffer()

    raster = decoded(data, placement(encoding=Encoding.SRGB))
    untagged = decoded(png(p3), placement(encoding=Encoding.SRGB))

    assert data.count(b"iCCP") == 1
    apart = raster.light.astype(int) - untagged.light
    # One 8-bit step of the profile's red is about 1/90 of the light at 200.
    assert abs(apart).max() < ONE // 100


def test_stacked_pages_become_bands_page_by_page():
    pages = [noise(seed, 8, 16, 3) for seed in range(4)]
    data = png(np.concatenate(pages))

    raster = decoded(data, placement(height_px=8, pages=4))

    assert np.array_equal(raster.light, np.concatenate(pages, axis=2))


def test_real_pages_of_a_tiff_become_bands_page_by_page():
    pages = [noise(seed, 8, 16, 3) for seed in range(4)]

    raster = decoded(tiff_pages(pages), placement(height_px=8, pages=4))

    assert np.array_equal(raster.light, np.concatenate(pages, axis=2))


def test_alpha_is_that_of_page_one():
    pages = [noise(seed, 8, 16, 4, most=ONE) for seed in range(2)]

    raster = decoded(tiff_pages(pages), placement(height_px=8, pages=2))

    assert np.array_equal(raster.alpha, pages[0][..., 3])


def test_a_layer_is_trimmed_to_what_is_not_nothing():
    pixels = np.zeros((16, 16, 4), np.uint16)
    pixels[5, 3, 0] = 9
    pixels[7, 8, 3] = 9

    raster = decoded(png(pixels), placement())

    assert (raster.left_px, raster.top_px) == (3, 5)
    assert (raster.width_px, raster.height_px) == (6, 3)


def test_a_layer_of_nothing_is_an_empty_raster():
    raster = decoded(png(np.zeros((16, 16, 4), np.uint16)), placement())

    assert raster.size_bytes == 0
    assert raster.bands == 3


def test_a_decoded_layer_cannot_be_written_to():
    raster = decoded(png(noise(1, 16, 16, 4)), placement())

    with pytest.raises(ValueError, match="read-only"):
        raster.light[0, 0, 0] = 1


@pytest.mark.parametrize("suffix", ["webp", "jpg", "tif", "avif"])
def test_every_allowed_type_decodes(suffix):
    grey = image(np.full((16, 16, 3), 188, np.uint8))
    save = {
        "webp": lambda: grey.webpsave_buffer(lossless=True),
        "jpg": lambda: grey.jpegsave_buffer(Q=100),
        "tif": lambda: grey.tiffsave_buffer(),
        "avif": lambda: grey.heifsave_buffer(compression="av1", lossless=True),
    }

    raster = decoded(save[suffix](), placement(encoding=Encoding.SRGB))

    assert abs(raster.light[8, 8].astype(int) - round(0.502886 * ONE)).max() < ONE // 90


def test_the_noise_of_a_lossy_layer_does_not_widen_it():
    pixels = np.zeros((96, 96, 4), np.uint16)
    pixels[40:60, 30:70] = 65535
    data = image(pixels).heifsave_buffer(
        compression="av1", bitdepth=12, Q=88, effort=1, subsample_mode="off"
    )
    where = placement(width_px=96, height_px=96, encoding=Encoding.ROOT)

    raster = decoded(data, where)

    assert 28 <= raster.left_px <= 30
    assert 38 <= raster.top_px <= 40
