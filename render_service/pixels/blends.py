"""How a layer meets what lies below it: over, add, multiply.

The rule: exact integer arithmetic on premultiplied linear light in 1/16384, rounded half up, that
saturates and never wraps; what a layer touches is changed in place.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from render_service.pixels.raster import Pixels
from render_service.planning.plan import ONE, Blend

MOST: Final = 65535
"""What a sample of light holds at the most."""

# Up to one pixel in so many is partly covered where a layer hides what is below pixel by pixel.
_FEW: Final = 16

_PIXEL: Final = np.dtype("V6")
"""Three samples as one."""


class Meeting(Struct, frozen=True, kw_only=True, eq=False):
    """Where a layer meets a strip; all arrays are of one height and width.

    Attributes:
        light: The strip's light, written to.
        alpha: The strip's coverage, written to; None on an opaque canvas.
        layer: The layer's light.
        cover: The layer's coverage.
        room: Scratch of the shape of `light`.
        factor: Likewise.
        wide: Likewise, in 32 bits.
        spare: Scratch of the shape of `cover`.
        blank: Nothing lies below.
    """

    light: Pixels
    alpha: Pixels | None
    layer: Pixels
    cover: Pixels
    room: Pixels
    factor: Pixels
    wide: NDArray[np.uint32]
    spare: Pixels
    blank: bool


def _over(at: Meeting) -> None:
    """The layer, and what is below as far as the layer does not cover it."""
    if at.blank or int(at.cover.min()) == ONE:
        at.light[...] = at.layer
    else:
        _hide(at)
        _saturating_add(at.light, at.layer, at.room)
    if at.alpha is not None:
        _cover(at.alpha, at.cover)


def _hide(at: Meeting) -> None:
    """Leave of what is below as much as the layer does not cover.

    A surface covers all or nothing but for its edges. What it hides is blacked out in runs of
    pixels, which are one sample of six bytes for numpy, and only edges are multiplied. Glass
    and shadows are multiplied throughout.
    """
    # Nothing covered is 65535 here, and fails the comparison as what is covered wholly does.
    np.subtract(at.cover, 1, out=at.spare)
    edges = np.flatnonzero(at.spare < ONE - 1)
    if edges.size > at.cover.size // _FEW:
        _keep(at.cover, at.factor, at.spare)
        _scale(at.light, at.factor, at.wide)
        return
    rows, columns = np.divmod(edges, at.cover.shape[1])
    products = at.light[rows, columns].astype(np.uint32)
    products *= (ONE - at.cover[rows, columns])[:, np.newaxis]
    at.light[rows, columns] = _rounded(products)
    pixels = at.light.view(_PIXEL)[..., 0]
    np.copyto(pixels, np.zeros(pixels.shape[1], _PIXEL), where=at.cover == ONE)


def _add(at: Meeting) -> None:
    """The light of both, and the coverage of both: parts of a picture put together again."""
    if at.blank:
        at.light[...] = at.layer
    else:
        _saturating_add(at.light, at.layer, at.room)
    if at.alpha is not None:
        # At most 2·16384, so it cannot wrap.
        np.add(at.alpha, at.cover, out=at.alpha)
        np.minimum(at.alpha, ONE, out=at.alpha)


def _multiply(at: Meeting) -> None:
    """What is below, filtered by the layer where it covers; where nothing is below, the layer.

    The multiply of W3C Compositing and Blending Level 1, section 10.1.2, premultiplied:
    Cs·Cb + Cs·(1 - αb) + Cb·(1 - αs).
    """
    if at.alpha is not None:
        _keep(at.alpha, at.factor, at.spare)
        bare = np.multiply(at.layer, at.factor, dtype=np.uint32)
    _keep(at.cover, at.factor, at.spare)
    if int(at.layer.max()):  # a shadow has no light of its own
        _saturating_add(at.factor, at.layer, at.room)
    _scale(at.light, at.factor, at.wide)
    if at.alpha is not None:
        _saturating_add(at.light, _rounded(bare).astype(np.uint16), at.room)
        _cover(at.alpha, at.cover)


BLENDS: Final[dict[Blend, Callable[[Meeting], None]]] = {
    Blend.OVER: _over,
    Blend.ADD: _add,
    Blend.MULTIPLY: _multiply,
}


def _cover(alpha: Pixels, cover: Pixels) -> None:
    """Lay one coverage over another: αs + αb·(1 - αs)."""
    below = alpha.astype(np.uint32)
    below *= ONE - cover
    np.add(_rounded(below), cover, out=alpha, casting="unsafe")


def _keep(cover: Pixels, factor: Pixels, spare: Pixels) -> None:
    """Write 1 - coverage for all three bands; a broadcast would make loops of length three."""
    np.subtract(ONE, cover, out=spare)
    for band in range(3):
        factor[..., band] = spare


def _scale(light: Pixels, factor: Pixels, wide: NDArray[np.uint32]) -> None:
    """Multiply light by a factor in 1/16384, in place; saturates.

    65535² + 8192 is below 2^32, so 32 bits hold every product.
    """
    np.multiply(light, factor, out=wide, dtype=np.uint32)
    _rounded(wide)
    if int(factor.max()) > ONE:
        np.minimum(wide, MOST, out=wide)
    light[...] = wide


def _rounded(products: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Divide by 16384 in place, rounding half up."""
    products += ONE // 2
    products >>= 14
    return products


def _saturating_add(light: Pixels, more: Pixels, room: Pixels) -> None:
    """Add in place; what would pass 65535 is 65535. A sample has room for its complement."""
    np.invert(light, out=room)
    np.minimum(room, more, out=room)
    np.add(light, room, out=light)
