"""What a photograph looks like when it is shown, by the measure that pictures of rings have."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import pyvips

from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import DecodeLimits, Limits
from render_service.pixels.offline import render, render_canvas
from render_service.pixels.photo import make_master
from render_service.pixels.score import Original
from render_service.planning.media import PhotoSet, plan_photo
from tests.assets.profiles import adobe_rgb

PHOTO = Path(__file__).parents[2] / "docs" / "first-light.jpg"

# SSIMULACRA2: 70 is high quality, what most people take for the original beside it.
LEAST = {Format.AVIF: 70, Format.WEBP: 70, Format.JPEG: 70}


@pytest.fixture(params=["p3", "adobe-rgb"])
def wide(request, tmp_path):
    """The photograph in a wider space, as a camera or a retoucher saves it."""
    (tmp_path / "adobe-rgb").write_bytes(adobe_rgb())
    profile = str(tmp_path / request.param) if request.param == "adobe-rgb" else request.param
    image = pyvips.Image.new_from_file(str(PHOTO))
    image = image.icc_transform(profile, input_profile="srgb", intent="relative", depth=16)
    return shown(image.pngsave_buffer())


def shown(data):
    """The set of a photograph, and what reads its master."""
    master = make_master(data, DecodeLimits(), width_max_px=3072, pixels_max=4096**2)
    digest = hashlib.sha256(master.data).hexdigest()
    photos = PhotoSet(
        photo=hashlib.sha256(data).hexdigest(),
        master=digest,
        width_px=master.width_px,
        height_px=master.height_px,
        alpha=master.alpha,
    )
    return photos, {digest: master.data}.__getitem__


@pytest.fixture(scope="module")
def plain():
    return shown(PHOTO.read_bytes())


def plan_of(photos, file_format, width=480):
    return plan_photo(photos, width, file_format, PROFILES[file_format])


@pytest.mark.parametrize("file_format", LEAST)
def test_every_format_is_of_high_quality(plain, file_format):
    photos, read = plain
    plan = plan_of(photos, file_format)
    score = Original(render_canvas(plan, read, Limits())).score(render(plan, read, Limits()))
    assert score >= LEAST[file_format]


def test_at_its_own_width_a_photograph_is_drawn_as_it_is():
    image = pyvips.Image.new_from_file(str(PHOTO)).crop(0, 0, 480, 300)
    photos, read = shown(image.pngsave_buffer())
    drawn = render_canvas(plan_of(photos, Format.PNG), read, Limits())
    assert (drawn == image.numpy()).all()


def test_a_photograph_in_a_wide_gamut_looks_like_the_same_in_srgb(plain, wide):
    ours, theirs = (
        render_canvas(plan_of(photos, Format.PNG), read, Limits()).astype(int)
        for photos, read in (plain, wide)
    )
    # One step of 255 for rounding twice; two where lcms interpolates.
    assert np.abs(ours - theirs).max() <= 3
    assert np.abs(ours - theirs).mean() < 0.5
