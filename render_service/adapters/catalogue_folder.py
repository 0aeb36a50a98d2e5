"""A catalogue in a folder: `materials.toml`, and a folder per composition.

Loading it either gives a complete snapshot or an InvalidCatalogue that lists every fault of every
file. Layer files are found again by digest, and a file that changed since is missing, not wrong.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from render_service.composition.catalogue import Catalogue, asset_names
from render_service.composition.definition import MeasuredDefinition
from render_service.composition.faults import Faults
from render_service.composition.model import Composition
from render_service.composition.names import Names
from render_service.composition.parse import parse_composition
from render_service.composition.parse_materials import FILE as MATERIALS_FILE
from render_service.composition.parse_materials import (
    NOTHING_READ,
    MaterialsRead,
    read_materials,
)
from render_service.composition.parse_qualities import ENCODING_FILE, Calibrated, parse_qualities
from render_service.errors import AssetMissing, AssetTooLarge, Fault, InvalidCatalogue
from render_service.planning.request import offered_widths
from render_service.planning.url import build_view

COMPOSITION_FILE = "composition.toml"


_DEFINES: Final = frozenset({".toml", ".avif", ".png", ".tif", ".tiff", ".webp", ".jpg", ".jpeg"})
"""Endings of what a composition is made of: a folder that holds one is meant to be one."""


class LayerFile(Struct, frozen=True, kw_only=True):
    """A layer file.

    Attributes:
        name: `<composition>/<file>`, as errors call it: they reach people who have no business with
            the folders of the server.
        path: Where it is.
    """

    name: str
    path: Path

    def read_bytes(self) -> bytes:
        """Return what is in the file; OSError where it cannot be read."""
        return self.path.read_bytes()


class CatalogueFolder(Struct, frozen=True, kw_only=True):
    """What was read from a folder.

    Attributes:
        catalogue: The snapshot; the sound compositions only where there are faults.
        files: Digest → the layer file that has it.
        faults: Everything wrong with the definitions, and every layer file missing.
        measured: Composition → what its qualities were measured on; those that have any.
    """

    catalogue: Catalogue
    files: dict[str, LayerFile]
    faults: tuple[Fault, ...]
    measured: dict[str, MeasuredDefinition]


def load_catalogue(folder: Path) -> CatalogueFolder:
    """Return the catalogue in `folder`, digests of all layer files included.

    Raises:
        InvalidCatalogue: Everything wrong with its definitions, and every layer file missing.
    """
    found = read_catalogue(folder)
    if found.faults:
        raise InvalidCatalogue(found.faults)
    return found


def read_catalogue(folder: Path) -> CatalogueFolder:
    """Return what can be read of the catalogue in `folder`, and everything wrong with it."""
    materials = _read_materials(folder / MATERIALS_FILE)
    compositions: dict[str, Composition] = {}
    assets: dict[str, dict[str, str]] = {}
    files: dict[str, LayerFile] = {}
    measured: dict[str, MeasuredDefinition] = {}
    faults: list[Fault] = list(materials.faults)
    for path in _composition_files(folder):
        try:
            composition = _read(path, materials)
            digests = _digest_assets(composition, path.parent, files)
            if (calibrated := _read_qualities(composition, path.parent, materials)) is not None:
                composition, measured[composition.id] = calibrated
        except InvalidCatalogue as broken:
            faults.extend(broken.faults)
        else:
            compositions[composition.id] = composition
            assets[composition.id] = digests
    if not compositions and not faults:
        faults.append(_fault(str(folder), f"holds no <id>/{COMPOSITION_FILE}"))
    if materials.faults:
        # Sound in themselves, but their materials have stand-ins for numbers.
        compositions, assets = {}, {}
    return CatalogueFolder(
        catalogue=Catalogue(compositions=compositions, assets=assets),
        files=files,
        faults=tuple(faults),
        measured=measured,
    )


def _read_materials(path: Path) -> MaterialsRead:
    try:
        return read_materials(path.read_bytes())
    except OSError as error:
        problem = f"cannot be read ({error.strerror}); a catalogue has a {MATERIALS_FILE}"
        return replace(NOTHING_READ, faults=(_fault(str(path), problem),))


def _composition_files(folder: Path) -> Iterable[Path]:
    """Yield the definition of each sub-folder that has one, or holds what it would define.

    Other folders beside them, and hidden ones, are no part of a catalogue.
    """
    for below in sorted(folder.glob("[!.]*/")):
        definition = below / COMPOSITION_FILE
        if below.is_dir() and (definition.exists() or _stray(below) is not None):
            yield definition


def _stray(folder: Path) -> Path | None:
    """Return a file in `folder`, or below it, that only a composition would hold: TOML first."""
    for path in sorted(folder.rglob("*"), key=lambda path: (path.suffix != ".toml", path)):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.suffix.lower() in _DEFINES and not hidden and path.is_file():
            return inside
    return None


class FolderAssets:
    """The layer files of a catalogue folder, as an AssetSource."""

    def __init__(self, files: dict[str, LayerFile], bytes_max: int) -> None:
        """Read from `files` (by digest), refusing those over `bytes_max`."""
        self._files = files
        self._bytes_max = bytes_max

    async def read(self, asset: str) -> bytes:
        return await asyncio.to_thread(self.read_now, asset)

    def read_now(self, asset: str) -> bytes:
        """Return the bytes of `asset`, as `read` does, without an event loop."""
        file = self._files.get(asset)
        if file is None:
            raise AssetMissing(asset, "is not in the catalogue")
        try:
            size_bytes = file.path.stat().st_size
            if size_bytes > self._bytes_max:
                problem = f"has {size_bytes} bytes; at most {self._bytes_max} are read"
                raise AssetTooLarge(file.name, problem)
            data = file.read_bytes()
        except OSError as error:
            raise AssetMissing(file.name, f"cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != asset:
            raise AssetMissing(file.name, "has changed since the catalogue was read")
        return data


def _read(path: Path, materials: MaterialsRead) -> Composition:
    try:
        data = path.read_bytes()
    except OSError as error:
        stray = None if path.exists() else _stray(path.parent)
        holds = f"; the folder holds {stray}, so it is meant to be a composition" if stray else ""
        problem = f"cannot be read ({error.strerror}){holds}"
        raise InvalidCatalogue([_fault(f"{path.parent.name}/{path.name}", problem)]) from error
    return parse_composition(
        path.parent.name, data, materials.materials, materials.tones, unread=materials.unread
    )


def _read_qualities(
    composition: Composition, folder: Path, materials: MaterialsRead
) -> Calibrated | None:
    """Return the composition with its calibrated qualities; None where it has none."""
    place = f"{composition.id}/{ENCODING_FILE}"
    try:
        data = (folder / ENCODING_FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InvalidCatalogue([_fault(place, problem)]) from error
    names = Names(Faults(place), materials.materials)
    names.options.update(composition.options)
    offered = {
        build_view(view.id, region): offered_widths(view.frame(region)[2])
        for view in composition.views.values()
        for region in (None, *view.regions)
    }
    return parse_qualities(composition, data, names, offered)


def _digest_assets(
    composition: Composition, folder: Path, files: dict[str, LayerFile]
) -> dict[str, str]:
    """Return file name → digest of every layer file, and note each in `files`."""
    digests: dict[str, str] = {}
    faults: list[Fault] = []
    for table, names in _wanted(composition):
        for name in names:
            if name in digests:
                continue
            path = folder / name
            try:
                with path.open("rb") as file:
                    digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                place = f"{composition.id}/{COMPOSITION_FILE}"
                problem = f"the layer file {name} cannot be read ({error.strerror})"
                faults.append(Fault(file=place, table=table, key="asset", problem=problem))
            else:
                files[digests[name]] = LayerFile(name=f"{composition.id}/{name}", path=path)
    if faults:
        raise InvalidCatalogue(faults)
    return digests


def _wanted(composition: Composition) -> Iterable[tuple[str, list[str]]]:
    for view in composition.views.values():
        for index, layer in enumerate(view.layers):
            yield f"views.{view.id}.layers[{index}]", asset_names(composition, layer)


def _fault(file: str, problem: str) -> Fault:
    return Fault(file=file, table="", key="", problem=problem)
