"""The catalogue: an immutable snapshot of compositions and of the digests of their layer files.

A snapshot is complete: every file that a valid configuration can name has its digest here, so
planning never looks at a disk, and a plan made from it can always be drawn.
"""

from collections.abc import Mapping
from itertools import product

from msgspec import Struct

from render_service.composition.configuration import rules_among
from render_service.composition.model import Composition, Layer, Option, satisfied
from render_service.errors import AssetMissing, UnknownComposition


class Catalogue(Struct, frozen=True, kw_only=True):
    """Compositions by id, and the digests of their layer files.

    Attributes:
        compositions: By id, in alphabetical order.
        assets: Composition id → layer file name → SHA-256, lower-case hex.
    """

    compositions: Mapping[str, Composition]
    assets: Mapping[str, Mapping[str, str]]

    def composition(self, composition: str) -> Composition:
        """Return the composition of that id.

        Raises:
            UnknownComposition: There is none.
        """
        found = self.compositions.get(composition)
        if found is None:
            raise UnknownComposition(composition, tuple(self.compositions))
        return found

    def digest(self, composition: str, asset: str) -> str:
        """Return the digest of the layer file `asset`.

        Raises:
            AssetMissing: The snapshot has no such file.
        """
        found = self.assets.get(composition, {}).get(asset)
        if found is None:
            raise AssetMissing(f"{composition}/{asset}", "is not in the catalogue")
        return found


def asset_names(composition: Composition, layer: Layer) -> list[str]:
    """Return every file that a valid configuration can make `layer` name, without repeats."""
    choices = choices_of(composition, layer)
    rules = rules_among(composition, choices)
    names: dict[str, None] = {}
    for values in product(*choices.values()):
        configuration = dict(zip(choices, values, strict=True))
        if not any(satisfied(rule.all, configuration) for rule in rules):
            names[layer.asset_for(configuration)] = None
    return list(names)


def choices_of(composition: Composition, layer: Layer) -> dict[str, tuple[str, ...]]:
    """Return the options that choose a file of `layer`, each with the values it is drawn for."""
    return {
        option.id: _values_for(layer, option)
        for option in composition.options.values()
        if option.id in layer.names or option.id in layer.when
    }


def _values_for(layer: Layer, option: Option) -> tuple[str, ...]:
    """The values of `option` that `layer` is drawn for."""
    asked = layer.when.get(option.id)
    return option.ids if asked is None else asked
