"""`Accept` → the format to send, by q-values (RFC 9110, section 12.5.1).

AVIF and WebP are sent only to who names them: `*/*` is what clients say that can show neither, so
a wildcard gets the format that everyone can show.
"""

from collections.abc import Mapping, Sequence

from render_service.formats import FACTS, Format

_UNIVERSAL = (Format.JPEG, Format.PNG)


def negotiate(accept: str | None, offered: Sequence[Format]) -> Format:
    """Return the best of `offered` for the `Accept` header, or None for a missing one.

    Of formats with equal q the earlier one in `offered` wins. Where nothing on offer is accepted,
    the most widely shown one is sent all the same: a picture serves better than a 406.

    Args:
        accept: The header's value.
        offered: Formats on offer, the preferred one first; never empty.
    """
    qualities = _qualities(accept if accept is not None else "*/*")
    fallback = next((format_ for format_ in _UNIVERSAL if format_ in offered), offered[0])
    best, best_quality = fallback, 0.0
    for format_ in offered:
        quality = _quality(format_, qualities)
        if quality > best_quality:
            best, best_quality = format_, quality
    return best


def negotiate_type(accept: str | None, offered: Sequence[str]) -> str:
    """Return the best of the media types `offered`; the first one where nothing tells them apart.

    Args:
        accept: The header's value.
        offered: Media types, parameters and all, of which the header is not asked.
    """
    qualities = _qualities(accept if accept is not None else "*/*")

    def quality(offer: str) -> float:
        media_type = offer.partition(";")[0]
        wildcards = (media_type.partition("/")[0] + "/*", "*/*")
        ranges = [name for name in (media_type, *wildcards) if name in qualities]
        return qualities[ranges[0]] if ranges else 0.0

    return max(offered, key=quality)


def is_as_welcome(accept: str | None, other: Format, *, as_: Format) -> bool:
    """Return whether `other` is accepted, and with no lower q than `as_`: the choice is ours."""
    qualities = _qualities(accept if accept is not None else "*/*")
    quality = _quality(other, qualities)
    return quality > 0 and quality >= _quality(as_, qualities)


def _quality(format_: Format, qualities: Mapping[str, float]) -> float:
    media_type = FACTS[format_].media_type
    if media_type in qualities:
        return qualities[media_type]
    if format_ not in _UNIVERSAL:
        return 0.0
    return qualities.get("image/*", qualities.get("*/*", 0.0))


def _qualities(accept: str) -> dict[str, float]:
    """Return media range → q; a malformed q counts as 0, so that it never wins."""
    qualities: dict[str, float] = {}
    for item in accept[:1000].split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _q(value.strip())
        if media_range:
            qualities[media_range] = max(quality, qualities.get(media_range, 0.0))
    return qualities


def _q(value: str) -> float:
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
