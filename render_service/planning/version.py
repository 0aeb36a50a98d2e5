"""The version of a view: a digest of everything the view can show.

A release that does not touch a view leaves its version, and so its URLs, alone; anything that can
change one of its pixels, in any configuration, size or format, changes it.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from render_service.composition.catalogue import Catalogue, asset_names
from render_service.composition.configuration import rules_within
from render_service.composition.materials import Basis
from render_service.composition.model import Composition, Layer, Option, View
from render_service.formats import Format
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import ONE, EncodeProfile

VERSION_DIGITS: Final = 10
"""Hex digits of a version: 40 bits: about a million versions of one view before two clash."""

_encoder = msgspec.json.Encoder(order="deterministic")


def derive_version(
    catalogue: Catalogue,
    composition: Composition,
    view: View,
    profiles: Mapping[Format, EncodeProfile],
) -> str:
    """Return the version of `view`: ten hex digits.

    Raises:
        AssetMissing: The catalogue lacks a layer file of the view.
    """
    painting = {option for layer in view.layers for option in layer.paint}
    shown = {
        "pipeline": PIPELINE_REVISION,
        "profiles": {str(f): profile for f, profile in profiles.items()},
        "canvas": (view.width_px, view.height_px),
        "regions": dict(view.regions),
        "tone": [round(v * ONE) for v in msgspec.structs.astuple(composition.tone)],
        "options": [
            _option(composition.options[option], option in painting) for option in view.options
        ],
        # Which configurations have a picture at all: an old version keeps the URLs it had.
        "rules": [rule.all for rule in rules_within(composition, view)],
        "layers": [_layer(catalogue, composition, layer) for layer in view.layers],
    }
    # Left out where there are none, so that views without them keep the versions they had.
    qualities = [table for table in composition.qualities if table.view == view.id]
    if qualities:
        shown["qualities"] = msgspec.to_builtins(qualities, str_keys=True)
    return hashlib.sha256(_encoder.encode(shown)).hexdigest()[:VERSION_DIGITS]


def measured_versions(
    catalogue: Catalogue, composition: Composition, profiles: Mapping[Format, EncodeProfile]
) -> dict[str, str]:
    """Return what each view shows, for qualities to be measured on: its version without any."""
    plain = msgspec.structs.replace(composition, qualities=())
    return {
        view.id: derive_version(catalogue, plain, view, profiles) for view in plain.views.values()
    }


def _option(option: Option, paints: bool) -> object:
    """What of an option a URL or a pixel depends on: values, default, materials where it paints.

    The default is part of it because a URL that leaves the option out is redirected for good.
    """
    if not paints or option.basis is None:
        return (option.id, option.default, option.ids)
    materials = [
        (value.id, value.material.value, value.material.stops) if value.material else value.id
        for value in option.values
    ]
    return (option.id, option.default, _basis(option.basis), materials)


def _basis(basis: Basis) -> object:
    return (basis.law, basis.nodes)


def _layer(catalogue: Catalogue, composition: Composition, layer: Layer) -> object:
    files = {
        name: catalogue.digest(composition.id, name) for name in asset_names(composition, layer)
    }
    return (layer.asset, files, layer.at, layer.when, layer.paint, layer.blend, layer.encoding)
