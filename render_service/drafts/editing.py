"""Changes of one part of a draft; pure: documents → the documents they become.

The rule: a part is replaced or added whole, where it is named; everything beside it stays as it is,
in its order.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from render_service.composition.definition import ASSET_PATTERN
from render_service.drafts.documents import check_size
from render_service.drafts.model import Document, Documents
from render_service.errors import UnknownPart

_ASSET: Final = re.compile(ASSET_PATTERN)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
ASSET_LENGTH_MAX: Final = 200
"""As of a layer's `asset`."""


def is_asset(name: str) -> bool:
    """Return whether `name` can be that of a layer file."""
    braces = "{" in name or "}" in name
    return len(name) <= ASSET_LENGTH_MAX and not braces and _ASSET.fullmatch(name) is not None


def is_digest(given: str) -> bool:
    """Return whether `given` is a SHA-256 as digests are spelled: 64 lower-case hex digits."""
    return _DIGEST.fullmatch(given) is not None


def put_layer(documents: Documents, view: str, number: int, layer: Document) -> Documents:
    """Return `documents` with the layer of that number, or one more.

    Raises:
        UnknownPart: The definition has no such view, or the number leaves a gap.
        DraftTooLarge: It would have more than is kept.
    """
    layers = _layers(documents, view)
    if number > len(layers):
        raise UnknownPart(f"layer of {view}", str(number), _span(len(layers) + 1))
    return _with_layers(documents, view, [*layers[:number], layer, *layers[number + 1 :]])


def drop_layer(documents: Documents, view: str, number: int) -> Documents:
    """Return `documents` without the layer of that number; those above it move down.

    Raises:
        UnknownPart: The definition has no such layer.
    """
    layers = _layers(documents, view)
    if number >= len(layers):
        raise UnknownPart(f"layer of {view}", str(number), _span(len(layers)))
    return _with_layers(documents, view, [*layers[:number], *layers[number + 1 :]])


def put_option(documents: Documents, option: str, defined: Document) -> Documents:
    """Return `documents` with that option, in its place or behind the others.

    Raises:
        DraftTooLarge: It would have more than is kept.
    """
    return _with_options(documents, {**_options(documents), option: defined})


def drop_option(documents: Documents, option: str) -> Documents:
    """Return `documents` without that option.

    Raises:
        UnknownPart: The definition has none of that id.
    """
    options = _options(documents)
    if option not in options:
        raise UnknownPart("option", option, list(options))
    return _with_options(documents, {k: v for k, v in options.items() if k != option})


def put_asset(documents: Documents, name: str, asset: str) -> Documents:
    """Return `documents` with the layer file `asset`, a SHA-256, under that name.

    Raises:
        DraftTooLarge: It would have more than is kept.
    """
    return _sized(replace(documents, assets={**documents.assets, name: asset}))


def drop_asset(documents: Documents, name: str) -> Documents:
    """Return `documents` without the layer file of that name.

    Raises:
        UnknownPart: There is none.
    """
    if name not in documents.assets:
        raise UnknownPart("layer file", name, list(documents.assets))
    kept = {known: asset for known, asset in documents.assets.items() if known != name}
    return replace(documents, assets=kept)


def _layers(documents: Documents, view: str) -> list[Any]:
    views = documents.definition.get("views")
    known = views if isinstance(views, Mapping) else {}
    piece = known.get(view)
    if not isinstance(piece, Mapping):
        raise UnknownPart("view", view, list(known))
    layers = piece.get("layers", [])
    return list(layers) if isinstance(layers, list) else []


def _with_layers(documents: Documents, view: str, layers: list[Any]) -> Documents:
    views = documents.definition["views"]
    changed = {**views, view: {**views[view], "layers": layers}}
    return _sized(replace(documents, definition={**documents.definition, "views": changed}))


def _options(documents: Documents) -> dict[str, Any]:
    options = documents.definition.get("options")
    return dict(options) if isinstance(options, Mapping) else {}


def _with_options(documents: Documents, options: dict[str, Any]) -> Documents:
    return _sized(replace(documents, definition={**documents.definition, "options": options}))


def _sized(documents: Documents) -> Documents:
    check_size(documents)
    return documents


def _span(count: int) -> list[str]:
    return [f"0 to {count - 1}"] if count else []
