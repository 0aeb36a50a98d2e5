"""A catalogue in a folder: `materials.toml`, and a folder per composition.

Reading it either gives a complete snapshot or an InvalidCatalogue that lists every fault of every
file. Layer files are found again by digest, and a file that changed since is missing, not wrong.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from render_service.composition.catalogue import Catalogue, asset_names
from render_service.composition.materials import Materials
from render_service.composition.model import Composition, ToneCurve
from render_service.composition.parse import parse_composition
from render_service.composition.parse_materials import FILE as MATERIALS_FILE
from render_service.composition.parse_materials import parse_materials
from render_service.errors import AssetMissing, AssetTooLarge, Fault, InvalidCatalogue

COMPOSITION_FILE = "composition.toml"


class CatalogueFolder(Struct, frozen=True, kw_only=True):
    """What was read from a folder.

    Attributes:
        catalogue: The snapshot.
        files: Digest → the layer file that has it.
    """

    catalogue: Catalogue
    files: dict[str, Path]


def load_catalogue(folder: Path) -> CatalogueFolder:
    """Read the catalogue in `folder`, digests of all layer files included.

    Raises:
        InvalidCatalogue: Everything wrong with its definitions, and every layer file missing.
    """
    definition = folder / MATERIALS_FILE
    try:
        materials, tones = parse_materials(definition.read_bytes())
    except OSError as error:
        problem = f"cannot be read ({error.strerror}); a catalogue has a {MATERIALS_FILE}"
        raise InvalidCatalogue([_fault(str(definition), problem)]) from error
    compositions: dict[str, Composition] = {}
    assets: dict[str, dict[str, str]] = {}
    files: dict[str, Path] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob(f"*/{COMPOSITION_FILE}")):
        try:
            composition = _read(path, materials, tones)
            digests = _digest_assets(composition, path.parent, files)
        except InvalidCatalogue as broken:
            faults.extend(broken.faults)
        else:
            compositions[composition.id] = composition
            assets[composition.id] = digests
    if not compositions and not faults:
        faults.append(_fault(str(folder), f"holds no <id>/{COMPOSITION_FILE}"))
    if faults:
        raise InvalidCatalogue(faults)
    return CatalogueFolder(
        catalogue=Catalogue(compositions=compositions, assets=assets), files=files
    )


class FolderAssets:
    """The layer files of a catalogue folder, as an AssetSource."""

    def __init__(self, files: dict[str, Path], bytes_max: int) -> None:
        """Read from `files` (digest → path), refusing those over `bytes_max`."""
        self._files = files
        self._bytes_max = bytes_max

    async def read(self, asset: str) -> bytes:
        return await asyncio.to_thread(self.read_now, asset)

    def read_now(self, asset: str) -> bytes:
        """Return the bytes of `asset`, as `read` does, without an event loop."""
        path = self._files.get(asset)
        if path is None:
            raise AssetMissing(asset, "is not in the catalogue")
        try:
            size_bytes = path.stat().st_size
            if size_bytes > self._bytes_max:
                problem = f"has {size_bytes} bytes; at most {self._bytes_max} are read"
                raise AssetTooLarge(str(path), problem)
            data = path.read_bytes()
        except OSError as error:
            raise AssetMissing(str(path), f"cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != asset:
            raise AssetMissing(str(path), "has changed since the catalogue was read; start again")
        return data


def _read(path: Path, materials: Materials, tones: dict[str, ToneCurve]) -> Composition:
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InvalidCatalogue([_fault(f"{path.parent.name}/{path.name}", problem)]) from error
    return parse_composition(path.parent.name, data, materials, tones)


def _digest_assets(
    composition: Composition, folder: Path, files: dict[str, Path]
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
                files[digests[name]] = path
    if faults:
        raise InvalidCatalogue(faults)
    return digests


def _wanted(composition: Composition) -> Iterable[tuple[str, list[str]]]:
    for view in composition.views.values():
        for index, layer in enumerate(view.layers):
            yield f"views.{view.id}.layers[{index}]", asset_names(composition, layer)


def _fault(file: str, problem: str) -> Fault:
    return Fault(file=file, table="", key="", problem=problem)
