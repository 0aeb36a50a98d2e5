"""Picture files as containers: where they end, what lies beside the pixels, whether they move.

The rule: a file is its picture and nothing else. It is walked by its own format's structure, to its
end, without decoding a pixel; what the structure does not account for is refused, as an archive or
a script in a picture's clothes is just that. Everything is bounded by the file's length.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final

from render_service.assets.model import MediaType
from render_service.assets.tiff import walk_tiff
from render_service.errors import FileRefused, RefusedFor

METADATA_BYTES_MAX: Final = 2**20
"""Of a profile, of EXIF, and of texts together: the largest profiles of printers take 0.6 MiB, EXIF
with its preview 64 KiB (a JPEG segment), the XMP of a picture that was edited for days 0.5 MiB."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_TEXTS: Final = frozenset({b"iCCP", b"eXIf", b"tEXt", b"zTXt", b"iTXt"})
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_BYTES: Final = 22
"""End of central directory, APPNOTE 4.3.16: the last two bytes are the length of a comment."""

_FOREIGN: Final = ((b"<?php", "a PHP script"), (b"<script", "a script"), (b"<SCRIPT", "a script"))


def walk(data: bytes, media_type: MediaType) -> None:
    """Refuse a file that is not one still picture of `media_type` from its first byte to its last.

    Args:
        data: The file.
        media_type: What it is said to be.

    Raises:
        FileRefused: What is wrong with it, for who made it.
    """
    found = sniff(data)
    if found is not media_type:
        is_what = f"It is {found.words}" if found else "It is none of the kinds that are taken"
        raise FileRefused(
            RefusedFor.TYPE,
            f"{is_what}, and was announced as {media_type.value}; a file that is renamed stays "
            f"what it is: export it as {media_type.words}.",
        )
    try:
        _WALKS[media_type](data)
    except (IndexError, ValueError) as error:
        raise _cut() from error
    _refuse_foreign(data)


def sniff(data: bytes) -> MediaType | None:
    """Return what a file is by its first bytes; None for what is not taken."""
    if data.startswith(_PNG):
        return MediaType.PNG
    if data.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return MediaType.TIFF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return MediaType.WEBP
    if data[4:8] == b"ftyp" and _brands(data) & {b"avif", b"avis"}:
        return MediaType.AVIF
    return None


def _walk_png(data: bytes) -> None:
    """PNG (third edition), section 5: chunks of length, type, data and CRC, IEND the last."""
    at, texts_bytes = len(_PNG), 0
    while True:
        size, kind = int.from_bytes(_cut_out(data, at, 4), "big"), _cut_out(data, at + 4, 4)
        body = _cut_out(data, at + 8, size)
        at += 12 + size
        if at > len(data):
            raise _cut()
        if kind == b"acTL":
            raise _animated()
        if kind in _TEXTS:
            texts_bytes += _unpacked_bytes(kind, body)
            _check_metadata(texts_bytes)
        if kind == b"IEND":
            return _refuse_rest(data, at)


def _unpacked_bytes(kind: bytes, body: bytes) -> int:
    """The length of a text or profile when it is unpacked, at most a little over the limit."""
    start = body.find(b"\0") + 2
    if kind == b"iTXt" and body[start - 1 : start] == b"\1":
        # Keyword, flag, method, language and translated keyword come before the text.
        start = body.index(b"\0", body.index(b"\0", start + 1) + 1) + 1
    elif kind not in (b"iCCP", b"zTXt"):
        return len(body)
    try:
        unpacked = zlib.decompressobj().decompress(body[start:], METADATA_BYTES_MAX + 1)
    except zlib.error as error:
        raise _cut() from error
    return len(unpacked)


def _walk_jpeg(data: bytes) -> None:
    """ITU-T T.81, annex B. Further pictures may follow where an index says so (CIPA DC-007)."""
    end, is_indexed = _jpeg_end(data, 0)
    while is_indexed and data.startswith(b"\xff\xd8\xff", end):
        end, _ = _jpeg_end(data, end)
    _refuse_rest(data, end)


def _jpeg_end(data: bytes, start: int) -> tuple[int, bool]:
    """Return where a JPEG ends, and whether it has an index of further pictures."""
    at, metadata_bytes, is_indexed = start + 2, 0, False
    while True:
        if data[at] != 0xFF:
            raise _cut()
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2, is_indexed
        if marker == 0xFF:
            at += 1
            continue
        size = int.from_bytes(_cut_out(data, at + 2, 2), "big")
        body = _cut_out(data, at + 4, max(0, size - 2))
        if 0xE1 <= marker <= 0xEF or marker == 0xFE:
            metadata_bytes += len(body)
            # Photoshop splits its own data over dozens of segments.
            _check_metadata(metadata_bytes // 4)
            is_indexed = is_indexed or (marker == 0xE2 and body.startswith(b"MPF\0"))
        at += 2 + size
        if marker == 0xDA:
            at = _scan_end(data, at)


def _scan_end(data: bytes, at: int) -> int:
    """Return where a scan's coded data ends: at a marker that is neither stuffed nor a restart."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
            at += 2
        elif data[at + 1] == 0xFF:
            at += 1
        else:
            return at


def _walk_webp(data: bytes) -> None:
    """RFC 9649, section 2: a RIFF file whose length is said at the start."""
    end = 8 + int.from_bytes(_cut_out(data, 4, 4), "little")
    if end > len(data):
        raise _cut()
    at, metadata_bytes = 12, 0
    while at < end:
        kind, size = _cut_out(data, at, 4), int.from_bytes(_cut_out(data, at + 4, 4), "little")
        _cut_out(data, at + 8, size)
        if kind in (b"ANIM", b"ANMF"):
            raise _animated()
        if kind not in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH"):
            metadata_bytes += size
            _check_metadata(metadata_bytes // 3)
        at += 8 + size + size % 2
    _refuse_rest(data, end)


def _walk_avif(data: bytes) -> None:
    """ISO/IEC 14496-12, section 4.2: boxes of length and type, to the end of the file."""
    if b"avis" in _brands(data):
        raise _animated()
    at, seen = 0, list[bytes]()
    while at < len(data):
        kind, size = _box(data, at)
        is_whole = b"meta" in seen and b"mdat" in seen
        once = kind in (b"ftyp", b"meta") and kind not in seen
        known = once or kind in (b"mdat", b"free", b"skip")
        if is_whole and not (known and 8 <= size <= len(data) - at):
            raise _rest(len(data) - at)
        if not known or not 8 <= size <= len(data) - at:
            raise _cut()
        if kind in (b"free", b"skip"):
            _check_metadata(size)
        seen.append(kind)
        at += size
    if not {b"meta", b"mdat"} <= set(seen):
        raise _cut()


def _box(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the kind and the length of a box; 0 bytes where not even its head is there."""
    size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
    if size == 1:
        size = int.from_bytes(data[at + 8 : at + 16], "big")
    elif size == 0:
        size = len(data) - at
    return kind, size if len(kind) == 4 else 0


def _brands(data: bytes) -> set[bytes]:
    """AVIF 1.1, section 6: the brands of the first box."""
    box = data[: min(int.from_bytes(data[:4], "big"), 128)]
    return {box[i : i + 4] for i in range(8, len(box), 4)}


def _refuse_foreign(data: bytes) -> None:
    """Refuse what is a file of another kind at the same time, or carries one."""
    for problem in _foreign(data):
        raise FileRefused(
            RefusedFor.FOREIGN,
            f"It is a picture and holds {problem} as well; export it anew, without what is not "
            "the picture.",
        )


def _foreign(data: bytes) -> Iterator[str]:
    # A reader of ZIP looks for this from the end, behind anything.
    at = data.rfind(_ZIP_END, max(0, len(data) - _ZIP_END_BYTES - 0xFFFF))
    if at >= 0:
        comment_bytes = int.from_bytes(data[at + 20 : at + 22], "little")
        if at + _ZIP_END_BYTES + comment_bytes <= len(data) and _is_zip(data, at):
            yield "an archive"
    # A reader of PDF takes its head anywhere in the first kilobyte (ISO 32000, annex H).
    if b"%PDF-" in data[:1024]:
        yield "a PDF"
    for mark, words in _FOREIGN:
        if mark in data:
            yield words


def _is_zip(data: bytes, end: int) -> bool:
    """Whether a list of files stands where the end of an archive says; 4 bytes alone are chance."""
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    return data[end - size : end - size + 4] == b"PK\x01\x02" or size == 0


def _refuse_rest(data: bytes, end: int) -> None:
    # Padding is what some cameras and memory cards leave.
    if data[end:].strip(b"\0"):
        raise _rest(len(data) - end)


def _rest(rest_bytes: int) -> FileRefused:
    return FileRefused(
        RefusedFor.TRAILING,
        f"{rest_bytes} bytes follow the end of the picture; export it anew, so that the file holds "
        "the picture and nothing else.",
    )


def _cut() -> FileRefused:
    return FileRefused(
        RefusedFor.DAMAGED,
        "It is cut short or damaged: the file ends before the picture does. Send it again, or "
        "export it anew.",
    )


def _animated() -> FileRefused:
    return FileRefused(RefusedFor.ANIMATED, "It is an animation; a still picture is needed.")


def _check_metadata(size_bytes: int) -> None:
    if size_bytes > METADATA_BYTES_MAX:
        raise FileRefused(
            RefusedFor.METADATA,
            f"It carries over {METADATA_BYTES_MAX // 2**20} MiB beside the picture (a profile, "
            "EXIF or texts); export it without metadata.",
        )


def _cut_out(data: bytes, at: int, size: int) -> bytes:
    found = data[at : at + size]
    if len(found) < size:
        raise _cut()
    return found


_WALKS: Final[dict[MediaType, Callable[[bytes], None]]] = {
    MediaType.PNG: _walk_png,
    MediaType.JPEG: _walk_jpeg,
    MediaType.WEBP: _walk_webp,
    MediaType.AVIF: _walk_avif,
    MediaType.TIFF: lambda data: _refuse_rest(data, walk_tiff(data)),
}
