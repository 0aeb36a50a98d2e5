"""A composition → the definition and the materials that it could have been read from.

The rule: what is written here is read back as the same composition (`parse.py`). What a composition
does not know any more is not made up: a family that has the name of one of several members is left
out, as the name would stand for all of them, and its tone is called after itself.
"""

from typing import Any, Final

from render_service.composition.materials import Basis, Law, Material, linear_to_srgb
from render_service.composition.model import (
    Blend,
    Composition,
    Condition,
    Encoding,
    Layer,
    Option,
    View,
)
from render_service.composition.names import spoken

Document = dict[str, Any]
"""A TOML document, as JSON has it."""

_SOURCE: Final = "as it was published"
"""Releases do not say where the numbers of a material come from."""


def spell_definition(composition: Composition) -> Document:
    """Return the document of `composition.toml`."""
    return {
        "schema": 1,
        "title": composition.title,
        "tone": composition.id,
        "options": {option.id: _option(option) for option in composition.options.values()},
        "forbid": [
            {"all": _condition(rule.all), "reason": rule.reason} for rule in composition.rules
        ],
        "views": {view.id: _view(view) for view in composition.views.values()},
    }


def spell_materials(composition: Composition) -> Document:
    """Return the document of `materials.toml` with what `composition` paints with."""
    bases: dict[str, Basis] = {}
    held: dict[str, dict[str, Material]] = {}
    for option in composition.options.values():
        if option.basis is not None:
            bases[option.basis.id] = option.basis
            known = held.setdefault(option.basis.id, {})
            known |= {value.id: value.material for value in option.values if value.material}
    tone = composition.tone
    return {
        "schema": 1,
        "bases": {name: _basis(basis) for name, basis in bases.items()},
        "materials": {
            basis: {name: _material(one, known) for name, one in known.items()}
            for basis, known in held.items()
        },
        "tones": {
            composition.id: {"exposure": tone.exposure, "knee": tone.knee, "white": tone.white}
        },
    }


def _option(option: Option) -> Document:
    usual = {v.id: v.material.title if v.material else spoken(v.id) for v in option.values}
    titles = {v.id: v.title for v in option.values if v.title != usual[v.id]}
    return {
        "title": option.title,
        **({"material": option.basis.id} if option.basis else {}),
        "values": list(option.ids),
        **({"titles": titles} if titles else {}),
        "default": option.default,
    }


def _condition(condition: Condition) -> Document:
    return {
        option: values[0] if len(values) == 1 else list(values)
        for option, values in condition.items()
    }


def _view(view: View) -> Document:
    return {
        "title": view.title,
        "width_px": view.width_px,
        "height_px": view.height_px,
        "regions": {name: list(box) for name, box in view.regions.items()},
        "layers": [_layer(layer) for layer in view.layers],
    }


def _layer(layer: Layer) -> Document:
    spelled: Document = {"asset": layer.asset}
    if layer.at is not None:
        spelled["at"] = list(layer.at)
    if layer.when:
        spelled["when"] = _condition(layer.when)
    if layer.paint:
        spelled["paint"] = layer.paint[0] if len(layer.paint) == 1 else list(layer.paint)
    if layer.blend is not Blend.OVER:
        spelled["blend"] = layer.blend.value
    if layer.encoding is not Encoding.SRGB:
        spelled["encoding"] = layer.encoding.value
    return spelled


def _basis(basis: Basis) -> Document:
    nodes = {} if basis.law is Law.GRADIENT else {"nodes": list(basis.nodes)}
    return {"law": basis.law.value, **nodes}


def _material(material: Material, beside: dict[str, Material]) -> Document:
    spelled: Document = {"title": material.title}
    family = [one.id for one in beside.values() if one.family == material.family]
    if material.family is not None and (
        family == [material.family] or material.family not in family
    ):
        spelled["family"] = material.family
    if material.value is not None:
        spelled["value"] = list(material.value)
    if material.stops:
        spelled["stops"] = [[at, _colour(linear)] for at, *linear in material.stops]
    return {**spelled, "source": _SOURCE}


def _colour(linear: list[float]) -> str:
    """`#rrggbb`, from which the light was read: a byte is found again by rounding."""
    return "#" + "".join(f"{round(255 * linear_to_srgb(light)):02x}" for light in linear)
