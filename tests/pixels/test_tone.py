import numpy as np
import pytest

from render_service.pixels.tone import linear_to_srgb, srgb_to_linear, tone_table
from render_service.planning.plan import ONE, Tone
from tests.pixels.builders import PLAIN

STUDIO = Tone(exposure=ONE * 5 // 4, knee=ONE * 6 // 10, white=3 * ONE)


def test_the_srgb_transfer_has_its_published_values():
    # IEC 61966-2-1: middle grey 0.18 is 0.4613561; the toe ends at 0.0031308.
    assert linear_to_srgb(np.array([0.0, 0.18, 1.0])) == pytest.approx([0.0, 0.4613561, 1.0])
    assert linear_to_srgb(np.array([0.0031308])) == pytest.approx([12.92 * 0.0031308])


def test_the_transfer_and_its_inverse_cancel():
    display = np.linspace(0, 1, 511)

    assert linear_to_srgb(srgb_to_linear(display)) == pytest.approx(display, abs=1e-6)


def test_every_eight_bit_value_survives_the_way_to_linear_light_and_back():
    values = np.arange(256)
    linear = np.floor(srgb_to_linear(values / 255) * ONE + 0.5).astype(int)

    # The first steps of sRGB are 5 of 16384 apart, so nothing is lost.
    assert tone_table(PLAIN)[linear].tolist() == values.tolist()


def test_a_tone_rises_from_black_to_white():
    table = tone_table(STUDIO).astype(int)

    assert table[0] == 0
    assert (np.diff(table) >= 0).all()
    assert table[65535] == 255


def test_below_the_knee_only_exposure_acts():
    x = ONE * 4 // 10

    assert tone_table(STUDIO)[x] == round(255 * float(linear_to_srgb(np.array([0.5]))[0]))


def test_white_is_reached_at_white_and_not_before():
    at = 3 * ONE * 4 // 5

    table = tone_table(STUDIO)

    assert table[at] == 255
    assert table[at * 8 // 10] < 255


def test_the_shoulder_leaves_the_knee_without_a_corner():
    tone = Tone(exposure=ONE, knee=ONE // 2, white=4 * ONE)
    knee = tone.knee / ONE
    from render_service.pixels.tone import _shoulder

    below, at, above = _shoulder(np.array([knee - 1e-4, knee, knee + 1e-4]), tone)

    assert (above - at) / (at - below) == pytest.approx(1.0, abs=1e-3)


def test_a_table_is_made_once_and_cannot_be_written_to():
    assert tone_table(STUDIO) is tone_table(
        Tone(**{f: getattr(STUDIO, f) for f in STUDIO.__struct_fields__})
    )
    assert not tone_table(STUDIO).flags.writeable
