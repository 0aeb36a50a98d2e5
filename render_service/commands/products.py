"""`render-service products import`: products and rates of files into the database, or nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from render_service.adapters.product_desk import Desk
from render_service.adapters.product_table import ProductTable
from render_service.composition.catalogue import Catalogue
from render_service.embedded import run_embedded_database
from render_service.errors import (
    InvalidImport,
    InvalidProduct,
    InvalidSetting,
    RatesOverlap,
    UnknownComposition,
)
from render_service.products.check import check_product
from render_service.products.model import Product
from render_service.products.parse import parse_product, read_product
from render_service.products.ports import Kept
from render_service.products.rates import Rate, Rates
from render_service.products.rows import Row, RowFormat, RowReader, spell_header, spell_row
from render_service.settings import Settings
from render_service.supply import read_live_catalogue
from render_service.wiring import build_database

RATES: Final = "rates.json"
"""The file of a folder that holds rates; each other `.json` is a product."""


FORMATS: Final = {
    ".csv": RowFormat.CSV,
    ".jsonl": RowFormat.JSON_LINES,
    ".ndjson": RowFormat.JSON_LINES,
}
"""Ends of names of files that hold a product in each row."""


def import_products(settings: Settings, folder: Path, *, if_empty: bool = False) -> int:
    """Check the products and rates of `folder`, write all of them, and say what came of it.

    Returns:
        The exit status.

    Raises:
        InvalidImport: A file is broken, or does not fit the live catalogue; nothing was written.
        InvalidSetting: There is no database.
        DatabaseUnavailable: It cannot be asked; nothing was written.
    """
    if not settings.database_url:
        raise InvalidSetting("RENDER_DATABASE_URL names no database to write to.")
    if folder.suffix in FORMATS:
        products, rates = _read_rows(folder, FORMATS[folder.suffix]), list[Rate]()
    else:
        products, rates = _read(folder)
    _check(products, asyncio.run(read_live_catalogue(settings)))
    with run_embedded_database(settings) as reachable:
        products_ = [product for _, product in products]
        kept = asyncio.run(_keep(reachable, products_, rates, if_empty=if_empty))
    if kept is None:
        print(f"There are products already: nothing of {folder} was imported.")
        return 0
    print(
        f"{len(products)} products and {len(rates)} rates of {folder}: "
        f"{kept.added} new, {kept.changed} changed, {kept.same} as they were."
    )
    return 0


def _read(folder: Path) -> tuple[list[tuple[str, Product]], list[Rate]]:
    """Return (file name, product) of each product, and the rates; every fault is told at once."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InvalidImport([f"{folder} holds no .json file, or is no folder, .csv or .jsonl"])
    products: list[tuple[str, Product]] = []
    rates: list[Rate] = []
    faults: list[str] = []
    for file in files:
        try:
            if file.name == RATES:
                rates = msgspec.json.decode(file.read_bytes(), type=list[Rate])
                Rates(rates)
            else:
                products.append((file.name, parse_product(file.read_bytes())))
        except RatesOverlap as error:
            faults.append(f"{file.name}: {error}")
        except InvalidProduct as error:
            faults += [f"{file.name}: {fault}" for fault in error.faults]
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            faults.append(f"{file.name}: {error}")
    counts = Counter(product.id for _, product in products)
    faults += [
        f"{name}: id: {product.id!r} is that of another file, too"
        for name, product in products
        if counts[product.id] > 1
    ]
    if faults:
        raise InvalidImport(faults)
    return products, rates


def _read_rows(file: Path, format_: RowFormat) -> list[tuple[str, Product]]:
    """Return (file name and line, product) of each row; every fault is told at once."""
    products: list[tuple[str, Product]] = []
    faults: list[str] = []
    try:
        for row in _rows(file, format_):
            name = f"{file.name}, line {row.line}"
            try:
                if row.faults:
                    raise InvalidProduct(row.faults)
                products.append((name, read_product(row.raw)))
            except InvalidProduct as error:
                faults += [f"{name}: {fault}" for fault in error.faults]
    except (OSError, InvalidProduct) as error:
        faults.append(f"{file.name}: {error}")
    counts = Counter(product.id for _, product in products)
    faults += [
        f"{name}: id: {product.id!r} is that of another row, too"
        for name, product in products
        if counts[product.id] > 1
    ]
    if faults:
        raise InvalidImport(faults)
    return products


def _rows(file: Path, format_: RowFormat) -> Iterator[Row]:
    reader = RowReader(format_)
    with file.open("rb") as lines:
        for line in lines:
            if (row := reader.take(line)) is not None:
                yield row
    if (row := reader.end()) is not None:
        yield row


def export_products(settings: Settings, format_: RowFormat, out: BinaryIO) -> int:
    """Write every product to `out`, as a file that `import` makes the same of.

    Returns:
        The exit status.

    Raises:
        InvalidSetting: There is no database.
        DatabaseUnavailable: It cannot be asked.
    """
    if not settings.database_url:
        raise InvalidSetting("RENDER_DATABASE_URL names no database to read from.")
    with run_embedded_database(settings) as reachable:
        asyncio.run(_export(reachable, format_, out))
    return 0


async def _export(settings: Settings, format_: RowFormat, out: BinaryIO) -> None:
    database = build_database(settings)
    try:
        if format_ is RowFormat.CSV:
            out.write(spell_header())
        async for product in Desk(database).every_product():
            out.write(spell_row(product, format_))
    finally:
        await database.close()


def _check(products: Sequence[tuple[str, Product]], catalogue: Catalogue) -> None:
    faults: list[str] = []
    for name, product in products:
        try:
            composition = catalogue.composition(product.composition)
        except UnknownComposition as error:
            faults.append(f"{name}: composition: {error}")
            continue
        faults += [f"{name}: {fault}" for fault in check_product(product, composition)]
    if faults:
        raise InvalidImport(faults)


async def _keep(
    settings: Settings, products: Sequence[Product], rates: Sequence[Rate], *, if_empty: bool
) -> Kept | None:
    database = build_database(settings)
    table = ProductTable(database)
    try:
        if if_empty and not await table.is_empty():
            return None
        return await table.keep(products, rates)
    finally:
        await database.close()
