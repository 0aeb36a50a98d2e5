"""How much of a picture an encoder kept, on the scale of SSIMULACRA2.

The rule: the scale is the published one (100 is identical, 90 visually lossless, 80 not to be told
apart side by side, 70 hard to notice), computed by the package `ssimulacra2`, which calibration
alone needs. The half of the work that only the original needs is done once.
"""

from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from render_service.errors import InvalidRequest
from render_service.pixels.compose import Canvas
from render_service.pixels.vips import pyvips, translating

SIDE_MIN_PX: Final = 226
"""Shortest side with six scales of at least 8 px: 226 halves to 8 in five steps, rounded up. With
fewer the package weighs each by the weights of another: that score is on no scale. Such a picture
is judged as it tiles when mirrored, which adds no edge and no content."""

BACKDROPS: Final = (0.1, 0.9)
"""Grey levels, of 1, that a transparent picture is judged on, dark and light; the lower score
counts (`ssimulacra2_main` of libjxl)."""

_Floats = NDArray[np.float64]
_Levels = NDArray[np.uint8] | _Floats


class Original:
    """A canvas that files are held against."""

    def __init__(self, canvas: Canvas) -> None:
        """Hold files against `canvas`: [height, width, 3], or 4 with straight alpha.

        Raises:
            InvalidRequest: The package that scores is not installed.
        """
        self._metric = metric()
        backdrops = BACKDROPS if canvas.shape[2] == 4 else (1.0,)
        self._sides = [(b, self._scales(_flat(canvas, b))) for b in backdrops]

    def score(self, file: bytes) -> float:
        """Return the score of the picture in `file`, at most 100; it has the canvas's size."""
        with translating(lambda said: InvalidRequest(f"What was encoded is no picture: {said}.")):
            decoded = pyvips.Image.new_from_buffer(file, "").numpy()
        return min(self._compare(scales, _flat(decoded, b)) for b, scales in self._sides)

    def _scales(self, flat: _Levels) -> list[tuple[_Floats, _Floats, _Floats]]:
        """The six scales, each with its blurred square and its blurred mean."""
        linear = self._linear(flat)
        found = []
        for _ in range(self._metric.kNumScales):
            image = self._perceived(linear)
            found.append(
                (image, self._metric.blur_image(image * image), self._metric.blur_image(image))
            )
            linear = self._metric.downsample(linear, 2, 2)
        return found

    def _compare(self, scales: list[tuple[_Floats, _Floats, _Floats]], flat: _Levels) -> float:
        """What `compute_ssimulacra2` of the package does, without the original's half."""
        metric, total = self._metric, self._metric.Msssim()
        linear = self._linear(flat)
        for image, square, mean in scales:
            other = self._perceived(linear)
            other_mean = metric.blur_image(other)
            scale = metric.MsssimScale()
            scale.avg_ssim = metric.ssim_map(
                mean,
                other_mean,
                square,
                metric.blur_image(other * other),
                metric.blur_image(image * other),
            )
            scale.avg_edgediff = metric.edge_diff_map(image, mean, other, other_mean)
            total.scales.append(scale)
            linear = metric.downsample(linear, 2, 2)
        return float(total.score())

    def _linear(self, flat: _Levels) -> _Floats:
        """Linear light; of whole levels there are but 256 to compute."""
        if flat.dtype != np.uint8:
            found: _Floats = self._metric.srgb_to_linear(flat)
            return found
        table: _Floats = self._metric.srgb_to_linear(np.arange(256, dtype=np.float64))
        return table[flat]

    def _perceived(self, linear: _Floats) -> Any:  # noqa: ANN401 - of an untyped package
        return self._metric.make_positive_xyb(self._metric.linear_rgb_to_xyb(linear))


def metric() -> ModuleType:
    """Return the package's module of the metric.

    Raises:
        InvalidRequest: It is not installed.
    """
    try:
        from ssimulacra2 import ssimulacra2
    except ImportError as error:
        raise InvalidRequest(
            "Calibrating needs the package ssimulacra2, which serving does not: "
            "pip install 'render-service[calibrate]' (in a clone: make env-calibrate)."
        ) from error
    found: ModuleType = ssimulacra2
    return found


def _flat(pixels: NDArray[np.uint8], backdrop: float) -> _Levels:
    """Levels of 0 to 255 without alpha, at least `SIDE_MIN_PX` a side."""
    levels: NDArray[Any] = pixels
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:] / 255
        levels = alpha * pixels[..., :3] + (1 - alpha) * 255 * backdrop
    while min(levels.shape[:2]) < SIDE_MIN_PX:
        high, wide = levels.shape[:2]
        levels = np.pad(levels, ((0, high), (0, wide), (0, 0)), mode="symmetric")
    return levels
