"""Definition bytes → Composition, with every name in it checked.

A file either becomes a composition whose references all hold, or an InvalidCatalogue that lists
everything wrong with it. Files are looked at elsewhere: this module never touches the disk.
"""

import re
import tomllib
from typing import Any

from render_service.composition.definition import (
    ASSET_PATTERN,
    CompositionDefinition,
    LayerDefinition,
    OptionDefinition,
    RuleDefinition,
    ViewDefinition,
)
from render_service.composition.faults import Faults
from render_service.composition.materials import Law, Materials
from render_service.composition.model import (
    Composition,
    Condition,
    Layer,
    Option,
    Rule,
    ToneCurve,
    Value,
    View,
    satisfied,
)
from render_service.errors import InvalidCatalogue

_ASSET = re.compile(ASSET_PATTERN)
_NAME = re.compile(r"\{([^{}]*)\}")
_NO_TONE = ToneCurve(exposure=1, knee=0, white=1)


def parse_toml(data: bytes, faults: Faults) -> dict[str, Any]:
    """Return the TOML document, or {} with its fault noted."""
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        faults.add("", "", f"this is not UTF-8 text ({error.reason} at byte {error.start})")
    except tomllib.TOMLDecodeError as error:
        faults.add("", "", f"this is not TOML: {error}")
    return {}


def parse_composition(
    composition: str, data: bytes, materials: Materials, tones: dict[str, ToneCurve]
) -> Composition:
    """Return the composition that `data` defines.

    Args:
        composition: Its id, the name of its folder.
        data: The bytes of `composition.toml`.
        materials: What its options may be made of.
        tones: The view transforms it may name.

    Raises:
        InvalidCatalogue: Everything wrong with the file, each with its table and key.
    """
    reader = _Reader(composition, materials)
    found = reader.read(parse_toml(data, reader.faults), tones)
    if reader.faults.found or found is None:
        raise InvalidCatalogue(reader.faults.found)
    return found


class _Reader:
    """Reads one definition; what it cannot read it notes and leaves out."""

    def __init__(self, composition: str, materials: Materials) -> None:
        self.id, self.materials = composition, materials
        self.faults = Faults(f"{composition}/composition.toml")
        self.options: dict[str, Option] = {}
        self.unread: set[str] = set()  # options whose own faults are noted: naming them is no fault

    def read(self, raw: dict[str, Any], tones: dict[str, ToneCurve]) -> Composition | None:
        if self.faults.found:
            return None
        self.faults.check_id("", self.id)
        head = self.faults.convert(
            {**raw, "options": {}, "forbid": [], "views": {}}, CompositionDefinition, ""
        )
        for option, piece in self.faults.tables(raw, "options", "").items():
            self.unread.add(option)
            self.read_option(option, piece)
        rules = [
            r
            for i, p in enumerate(self.faults.array(raw, "forbid", ""))
            if (r := self.read_rule(i, p))
        ]
        views = {}
        for view, piece in self.faults.tables(raw, "views", "").items():
            if (read := self.read_view(view, piece)) is not None:
                views[view] = read
        if not raw.get("views"):
            self.faults.add("", "views", "there is no view; write at least one [views.<id>]")
        if head is None:
            return None
        self.faults.check_known("", "tone", head.tone, tones, "a tone of materials.toml")
        self.check_defaults(rules)
        return Composition(
            id=self.id,
            title=head.title,
            tone=tones.get(head.tone, _NO_TONE),
            options=self.options,
            rules=tuple(rules),
            views=views,
        )

    def read_option(self, option: str, piece: object) -> None:
        table = f"options.{option}"
        read = self.faults.convert(piece, OptionDefinition, table)
        if read is None:
            return
        ids = self.value_ids(read, table)
        if not ids:
            return
        self.faults.check_known(table, "default", read.default, ids, "one of the option's values")
        for value in read.titles:
            self.faults.check_known(f"{table}.titles", value, value, ids, "one of the values")
        known = self.materials.materials.get(read.material or "", {})
        values = []
        for value in ids:
            material = known.get(value)
            title = read.titles.get(value) or (material.title if material else _spoken(value))
            values.append(Value(id=value, title=title, material=material))
        self.options[option] = Option(
            id=option,
            title=read.title or _spoken(option),
            basis=self.materials.bases.get(read.material or ""),
            values=tuple(values),
            default=read.default,
        )
        self.unread.discard(option)

    def value_ids(self, read: OptionDefinition, table: str) -> list[str]:
        if read.material is None:
            if read.values is None:
                self.faults.add(table, "values", "list the values, or name the basis in `material`")
            ids = list(read.values or ())
            for value in ids:
                self.faults.check_id(table, value)
        else:
            bases = self.materials.bases
            if not self.faults.check_known(table, "material", read.material, bases, "a basis"):
                return []
            ids = self.material_ids(read, table)
        for value in sorted({v for v in ids if ids.count(v) > 1}):
            self.faults.add(table, "values", f"{value!r} is listed twice")
        return ids

    def material_ids(self, read: OptionDefinition, table: str) -> list[str]:
        basis = read.material or ""
        known = self.materials.materials.get(basis, {})
        families = self.materials.families(basis)
        ids: list[str] = []
        for value in read.values if read.values is not None else known:
            if value in families:
                ids.extend(families[value])
            elif self.faults.check_known(
                table, "values", value, (*known, *families), f"a material or family of {basis}"
            ):
                ids.append(value)
        return ids

    def read_rule(self, index: int, piece: object) -> Rule | None:
        table = f"forbid[{index}]"
        read = self.faults.convert(piece, RuleDefinition, table)
        if read is None:
            return None
        return Rule(all=self.read_condition(read.all, table, "all"), reason=read.reason)

    def read_condition(
        self, given: dict[str, str | tuple[str, ...]], table: str, key: str
    ) -> Condition:
        condition = {}
        for option, choice in given.items():
            if not self.knows(option, table, key):
                continue
            values = (choice,) if isinstance(choice, str) else choice
            condition[option] = self.expand(option, values, table, key)
        return condition

    def expand(self, option: str, values: tuple[str, ...], table: str, key: str) -> tuple[str, ...]:
        """Return value ids, in the option's order, a family standing for its members on offer."""
        offered = self.options[option]
        basis = offered.basis
        families = self.materials.families(basis.id) if basis else {}
        wanted: set[str] = set()
        for value in values:
            if value in families:
                wanted.update(families[value])
            elif self.faults.check_known(
                table, f"{key}.{option}", value, (*offered.ids, *families), f"a value of {option}"
            ):
                wanted.add(value)
        found = tuple(value for value in offered.ids if value in wanted)
        if wanted and not found:
            self.faults.add(
                table, f"{key}.{option}", f"none of {', '.join(sorted(wanted))} is on offer"
            )
        return found

    def knows(self, option: str, table: str, key: str) -> bool:
        """Return whether `option` may be used; note a fault where it was never defined."""
        if option in self.unread:
            return False
        return self.faults.check_known(table, key, option, self.options, "an option")

    def read_view(self, view: str, piece: object) -> View | None:
        table = f"views.{view}"
        if not isinstance(piece, dict):
            self.faults.add(table, "", "Expected a table")
            return None
        read = self.faults.convert({**piece, "layers": []}, ViewDefinition, table)
        layers = []
        for index, layer_piece in enumerate(self.faults.array(piece, "layers", table)):
            layer = self.read_layer(f"{table}.layers[{index}]", layer_piece)
            if layer is not None:
                layers.append(layer)
        if not piece.get("layers"):
            self.faults.add(table, "layers", f"there is no layer; write [[{table}.layers]]")
        if read is None:
            return None
        for region, box in read.regions.items():
            self.faults.check_id(f"{table}.regions", region)
            self.check_region(f"{table}.regions", region, box, read)
        used = frozenset(option for layer in layers for option in layer.options)
        return View(
            id=view,
            title=read.title or _spoken(view),
            width_px=read.width_px,
            height_px=read.height_px,
            regions=read.regions,
            layers=tuple(layers),
            options=tuple(option for option in self.options if option in used),
        )

    def check_region(
        self, table: str, region: str, box: tuple[int, int, int, int], view: ViewDefinition
    ) -> None:
        left, top, width, height = box
        inside = left >= 0 and top >= 0 and width > 0 and height > 0
        if not (inside and left + width <= view.width_px and top + height <= view.height_px):
            self.faults.add(
                table,
                region,
                f"[left, top, width, height] = {list(box)} must lie on the canvas of "
                f"{view.width_px} x {view.height_px} px",
            )

    def read_layer(self, table: str, piece: object) -> Layer | None:
        read = self.faults.convert(piece, LayerDefinition, table)
        if read is None:
            return None
        if not _ASSET.match(read.asset):
            self.faults.add(
                table,
                "asset",
                f"{read.asset!r} is not a file below the composition's folder: letters, digits, "
                "'_', '-', '.', '/' and {option}",
            )
        names = tuple(dict.fromkeys(_NAME.findall(read.asset)))
        names = tuple(name for name in names if self.knows(name, table, "asset"))
        paint = () if read.paint is None else read.paint
        return Layer(
            asset=read.asset,
            names=names,
            when=self.read_condition(read.when, table, "when"),
            paint=self.read_paint((paint,) if isinstance(paint, str) else paint, table),
            blend=read.blend,
            encoding=read.encoding,
        )

    def read_paint(self, given: tuple[str, ...], table: str) -> tuple[str, ...]:
        painting = [o.id for o in self.options.values() if o.basis is not None]
        known = tuple(
            p
            for p in given
            if p not in self.unread
            and self.faults.check_known(table, "paint", p, painting, "an option of materials")
        )
        laws = [basis.law for p in known if (basis := self.options[p].basis)]
        if len(laws) > 1 and Law.GRADIENT in laws:
            self.faults.add(table, "paint", "a gradient paints alone: it has no outer product")
        if len(known) > 2 or len(set(known)) < len(known):
            self.faults.add(
                table, "paint", "name one option, or two different ones, outermost first"
            )
        return known

    def check_defaults(self, rules: list[Rule]) -> None:
        defaults = {option.id: option.default for option in self.options.values()}
        for index, rule in enumerate(rules):
            if set(rule.all) <= set(defaults) and rule.all and satisfied(rule.all, defaults):
                self.faults.add(
                    f"forbid[{index}]", "all", f"it forbids the default configuration {defaults}"
                )


def _spoken(name: str) -> str:
    """`emerald-cut` → `Emerald cut`."""
    return name.replace("-", " ").capitalize()
