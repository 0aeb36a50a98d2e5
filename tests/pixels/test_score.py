"""Scores: those of the package, on the published scale, for every picture that is served."""

import numpy as np
import pytest
import pyvips
from ssimulacra2 import compute_ssimulacra2

from render_service.pixels.score import SIDE_MIN_PX, Original

SIZE = (240, 320, 3)


def picture(size=SIZE, seed=1):
    """Something that encoders lose some of: soft shapes and a little grain."""
    high, wide, bands = size
    rows, columns = np.mgrid[:high, :wide]
    shapes = 110 + 60 * np.sin(columns / 9) * np.cos(rows / 13)
    grain = np.random.default_rng(seed).normal(0, 4, size)
    return np.clip(shapes[..., None] + grain, 0, 255).astype(np.uint8)[..., :bands]


def with_alpha(canvas):
    alpha = np.zeros(canvas.shape[:2], np.uint8)
    alpha[40:200, 60:260] = 255
    return np.dstack([canvas, alpha])


def image(canvas):
    return pyvips.Image.new_from_array(canvas, interpretation="srgb")


def webp(canvas, quality):
    return image(canvas).webpsave_buffer(Q=quality)


def png(canvas):
    return image(canvas).pngsave_buffer()


def test_a_score_is_what_the_package_says_of_the_two_files(tmp_path):
    canvas = picture()
    file = webp(canvas, 70)
    (tmp_path / "original.png").write_bytes(png(canvas))
    (tmp_path / "encoded.png").write_bytes(pyvips.Image.new_from_buffer(file, "").pngsave_buffer())

    expected = compute_ssimulacra2(tmp_path / "original.png", tmp_path / "encoded.png")

    assert Original(canvas).score(file) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("canvas", [picture(), with_alpha(picture()), picture((60, 80, 3))])
def test_what_is_kept_whole_scores_a_hundred(canvas):
    assert Original(canvas).score(png(canvas)) == 100


@pytest.mark.parametrize("canvas", [picture(), with_alpha(picture()), picture((120, 160, 3))])
def test_more_quality_scores_more(canvas):
    original = Original(canvas)
    scores = [original.score(webp(canvas, quality)) for quality in (20, 50, 80, 95)]

    assert scores == sorted(scores)
    assert scores[-1] < 100


def test_the_same_files_score_the_same_to_the_last_bit():
    canvas = picture()
    file = webp(canvas, 70)

    assert Original(canvas).score(file) == Original(canvas).score(file)


def test_a_small_picture_scores_as_it_tiles():
    canvas = picture((SIDE_MIN_PX // 2, SIDE_MIN_PX // 2, 3))
    tiled = np.pad(canvas, ((0, canvas.shape[0]), (0, canvas.shape[1]), (0, 0)), mode="symmetric")
    worse = np.where(np.indices(canvas.shape[:2]).sum(0)[..., None] % 2, canvas, canvas // 2)
    worse_tiled = np.pad(
        worse, ((0, canvas.shape[0]), (0, canvas.shape[1]), (0, 0)), mode="symmetric"
    )

    assert Original(canvas).score(png(worse)) == Original(tiled).score(png(worse_tiled))


def test_what_is_under_transparency_does_not_count():
    canvas = with_alpha(picture())
    other = canvas.copy()
    other[..., :3][canvas[..., 3] == 0] = 255 - other[..., :3][canvas[..., 3] == 0]

    assert Original(canvas).score(png(other)) == 100


def test_a_transparent_picture_has_the_lower_score_of_the_dark_and_the_light_ground():
    canvas = with_alpha(picture())
    fringed = canvas.copy()
    fringed[38:40, 60:260] = (30, 30, 30, 255)
    grounds = [0.1, 0.9]

    def flat(pixels, ground):
        alpha = pixels[..., 3:] / 255
        levels = alpha * pixels[..., :3] + (1 - alpha) * 255 * ground
        return np.rint(levels).astype(np.uint8)

    apart = [Original(flat(canvas, g)).score(png(flat(fringed, g))) for g in grounds]

    assert Original(canvas).score(png(fringed)) == pytest.approx(min(apart), abs=0.5)
    assert max(apart) - min(apart) > 1
