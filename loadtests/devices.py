"""What a shopper looks with: a screen, and a browser that takes some formats and not others.

The rule: a browser does what the page at `/` tells it to, so the widths asked for are those that
the page's `sizes` come to on that screen, and never any other.
"""

import random
from typing import Final

from msgspec import Struct

REM_PX: Final = 16
"""What browsers take a `rem` for unless told otherwise (CSS 2.2, its initial `medium`)."""

THUMB_PX: Final = 84
"""`THUMB_SIZES` of the page."""


class Device(Struct, frozen=True, kw_only=True):
    """A class of screens.

    Attributes:
        name: For people.
        share: Of all sessions, 0 to 1.
        width_px: Of the page as it is shown, in CSS pixels.
        height_px: Likewise, without the browser's own bars.
        density: Screen pixels for each CSS pixel.
    """

    name: str
    share: float
    width_px: int
    height_px: int
    density: float

    @property
    def picture_px(self) -> float:
        """Screen pixels that the large picture takes: `SIZES` of the page."""
        if self.width_px <= 56 * REM_PX:
            return self.width_px * self.density
        return min(0.55 * self.width_px, self.height_px - 11 * REM_PX) * self.density

    @property
    def thumb_px(self) -> float:
        """Screen pixels that the small picture of a view takes."""
        return THUMB_PX * self.density


class Browser(Struct, frozen=True, kw_only=True):
    """What a browser takes.

    Attributes:
        name: For people.
        share: Of all sessions, 0 to 1.
        types: Media types of `<source>` that it can show; `<img>` it always can.
        accept: Its header when it asks for a picture.
    """

    name: str
    share: float
    types: frozenset[str]
    accept: str

    @property
    def format(self) -> str:
        """The format it takes of those on offer, as URLs have it; JPEG if it takes neither."""
        return next((f for f in ("avif", "webp") if f"image/{f}" in self.types), "jpg")


# Phones, tablets and desktops by StatCounter's platform comparison, worldwide, 2025, rounded: 62, 3
# and 35 in a hundred. Sizes are common ones of its screen resolutions in each class, without the
# browser's bars (some 135 CSS pixels on a desktop). The split of a class among sizes is assumed.
DEVICES: Final = (
    Device(name="phone 360", share=0.35, width_px=360, height_px=660, density=3),
    Device(name="phone 390", share=0.27, width_px=390, height_px=664, density=3),
    Device(name="tablet", share=0.03, width_px=820, height_px=1106, density=2),
    Device(name="laptop", share=0.12, width_px=1536, height_px=729, density=1.25),
    Device(name="desktop", share=0.13, width_px=1920, height_px=945, density=1),
    Device(name="dense laptop", share=0.10, width_px=1440, height_px=790, density=2),
)

# Can I Use on StatCounter's figures of 2026: AVIF 93 to 95 in a hundred, WebP 96 to 97. Headers as
# Chrome 85, Chrome 79 and Safari 13 sent them first.
BROWSERS: Final = (
    Browser(
        name="avif",
        share=0.94,
        types=frozenset(("image/avif", "image/webp")),
        accept="image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    ),
    Browser(
        name="webp",
        share=0.03,
        types=frozenset(("image/webp",)),
        accept="image/webp,image/apng,image/*,*/*;q=0.8",
    ),
    Browser(
        name="neither",
        share=0.03,
        types=frozenset(),
        accept="image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",
    ),
)


def draw_device(chance: random.Random) -> Device:
    """Return one of `DEVICES`, as often as its share says."""
    return chance.choices(DEVICES, [device.share for device in DEVICES])[0]


def draw_browser(chance: random.Random) -> Browser:
    """Return one of `BROWSERS`, as often as its share says."""
    return chance.choices(BROWSERS, [browser.share for browser in BROWSERS])[0]
