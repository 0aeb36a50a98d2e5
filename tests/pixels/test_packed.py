import numpy as np
import pytest

from render_service.pixels.packed import pack, unpack
from render_service.pixels.raster import Raster
from tests.pixels.builders import noise


@pytest.fixture
def raster():
    light = noise(1, 7, 5, 6)
    return Raster(light=light, alpha=noise(2, 7, 5, 1)[..., 0].copy(), left_px=-3, top_px=11)


def packed(raster, name="a"):
    return bytearray(b"".join(pack(name, raster)))


def test_a_raster_comes_back_as_it_was(raster):
    found = unpack("a", memoryview(packed(raster)))
    assert (found.left_px, found.top_px) == (-3, 11)
    assert np.array_equal(found.light, raster.light)
    assert np.array_equal(found.alpha, raster.alpha)


def test_its_pixels_are_the_bytes_themselves(raster):
    data = packed(raster)
    found = unpack("a", memoryview(data))
    data[64:66] = b"\x39\x05"
    assert found.light[0, 0, 0] == 1337


def test_it_cannot_be_written_to_where_its_bytes_cannot(raster):
    found = unpack("a", memoryview(bytes(packed(raster))))
    with pytest.raises(ValueError, match="read-only"):
        found.light[0, 0, 0] = 1


def test_any_changed_byte_that_counts_makes_it_nothing(raster):
    data = packed(raster)
    filler = range(32, 64)
    for at in range(len(data)):
        data[at] ^= 1
        assert (unpack("a", memoryview(data)) is None) == (at not in filler), at
        data[at] ^= 1


def test_it_is_nothing_under_another_name(raster):
    assert unpack("b", memoryview(packed(raster))) is None


def test_it_is_nothing_where_it_is_cut_short_or_goes_on(raster):
    data = packed(raster)
    for length in [*range(0, 80), len(data) - 1]:
        assert unpack("a", memoryview(data[:length])) is None
    assert unpack("a", memoryview(data + b"\0\0")) is None
