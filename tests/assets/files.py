"""Picture files made for tests: sound ones of every kind, and what attackers make of them."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pyvips

from render_service.assets.model import Announced, AssetKind, MediaType

SAVERS = {
    MediaType.PNG: ".png",
    MediaType.JPEG: ".jpg",
    MediaType.WEBP: ".webp",
    MediaType.AVIF: ".avif",
    MediaType.TIFF: ".tif",
}


def picture(width=60, height=40, bands=3, bits=8, interpretation="srgb"):
    """A picture with something in it."""
    values = np.random.default_rng(1).integers(0, 2**bits, (height // 4, width // 4, bands))
    kind = np.uint8 if bits == 8 else np.uint16
    image = pyvips.Image.new_from_array(values.astype(kind))
    scaled = image.resize(4, kernel="linear").copy(interpretation=interpretation)
    return scaled.cast("uchar" if bits == 8 else "ushort")


def file_of(media_type, image=None, **words):
    return (image or picture()).write_to_buffer(SAVERS[media_type], **words)


def announced(data, media_type=MediaType.PNG, kind=AssetKind.LAYER, focus=None):
    return Announced(
        name="ring",
        kind=kind,
        media_type=media_type,
        bytes=len(data),
        sha256="0" * 64,
        focus=focus,
    )


def archive(size=10):
    """A ZIP."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("run.sh", "echo " * size)
    return made.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png, kind, body):
    """A PNG with a chunk behind its header."""
    return png[:33] + chunk(kind, body) + png[33:]


def png_of_zeros(width, height):
    """A whole PNG, every row of it there: black, and a thousandth of its size."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1 + width) * 100) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 + width) * 100) + packer.flush(zlib.Z_FULL_FLUSH)
    # What was flushed depends on nothing before it, and the sum of zeros is their number.
    sum_of_all = ((1 + width) * height % 65521 << 16) | 1
    end = b"\x03\0" + struct.pack(">I", sum_of_all)
    body = head + again * (height // 100 - 1) + end
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff_of_pages(pages, width=8, height=8):
    stack = pyvips.Image.black(width, height * pages, bands=3).copy(interpretation="srgb")
    stack.set_type(pyvips.GValue.gint_type, "page-height", height)
    return stack.tiffsave_buffer()


def tiff_in_a_circle():
    """A TIFF whose only directory is followed by itself."""
    data = file_of(MediaType.TIFF)
    at = struct.unpack_from("<I", data, 4)[0]
    (count,) = struct.unpack_from("<H", data, at)
    following = at + 2 + 12 * count
    return data[:following] + struct.pack("<I", at) + data[following + 4 :]


def animation(suffix):
    stack = picture(40, 80).copy()
    stack.set_type(pyvips.GValue.gint_type, "page-height", 40)
    return stack.write_to_buffer(suffix)


def jpeg_segments(jpeg, marker, body, times=1):
    """A JPEG with segments behind its start."""
    segment = b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
    return jpeg[:2] + segment * times + jpeg[2:]
