"""Bodies of pictures, decoded to the last pixel, as a browser would.

The rule: what a file is, is asked of its bytes and never of its name.
"""

import pyvips

from loadtests.answers import Picture

_MEDIA_TYPES = {
    "heifload_buffer": "image/avif",
    "jpegload_buffer": "image/jpeg",
    "pngload_buffer": "image/png",
    "webpload_buffer": "image/webp",
}
"""Loader of libvips → media type; of HEIF files the service makes AVIF only."""


def decode_picture(body: bytes) -> Picture:
    """Return what a picture is, once every pixel of it was decoded.

    Raises:
        ValueError: It is no picture, or is broken; says how.
    """
    try:
        image = pyvips.Image.new_from_buffer(body, "", fail_on="warning")
        image.avg()  # reads every pixel
        loader = str(image.get("vips-loader"))
    except pyvips.Error as error:
        raise ValueError(" ".join(str(error).split())) from error
    return Picture(
        media_type=_MEDIA_TYPES.get(loader, loader), width_px=image.width, height_px=image.height
    )
