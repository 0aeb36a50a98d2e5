"""How long does it take to import, list, search and count 100,000 products, and what does it hold?

The rule: a PostgreSQL of its own and the service in front of it, asked over HTTP by one client, one
request after the other; each question is asked in every round, so that a busy moment falls on all.
The products are the demo's ring under other titles, texts and attributes: words are drawn from
20,000 by a heavy-tailed law, so that some are in most texts and most in few.
"""

import argparse
import asyncio
import math
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from benchmarks.memory import note_held
from benchmarks.report import Chart, Report, bar, machine_facts, publish, spread
from benchmarks.serving import run_service
from render_service.adapters.embedded_postgres import run_postgres
from render_service.adapters.migrations import migrate
from render_service.adapters.postgres import Database
from render_service.adapters.postgres_pool import Limits
from render_service.adapters.product_table import ProductTable
from render_service.products.model import Product
from render_service.products.rates import Rate

COMPOSITIONS: Final = Path("compositions")
RING: Final = COMPOSITIONS / "products" / "solitaire-ring.json"
RATES: Final = COMPOSITIONS / "products" / "rates.json"
KEY: Final = "one:" + "A" * 43

BATCH: Final = 500
"""Products of a transaction."""

GOAL_MS: Final = 100.0
"""Of any question, at its 95th percentile, as the client sees it."""

_STYLES: Final = (
    "solitaire",
    "halo",
    "vintage",
    "modern",
    "classic",
    "bezel",
    "cathedral",
    "cluster",
)
_OCCASIONS: Final = ("engagement", "anniversary", "wedding", "birthday", "graduation")
_QUESTIONS: Final[Mapping[str, str]] = {
    "a page, newest first": "",
    "a page by title": "sort=title",
    "by three attributes": "attribute.style=halo&attribute.style=modern&attribute.occasion=wedding"
    "&attribute.collection=Collection%203",
    "three facets": "facets=collection,style,occasion",
    "three facets of a style": "facets=collection,style,occasion&attribute.style=halo",
    "a word that all have": "q=ring&language=en",
    "a word that few have": "q={rare}&language=en",
    "two words": "q=halo%20{rare}&language=en",
    "a word without another": "q=ring%20-halo&language=en",
    "a misspelt word": "q=anniversry&language=en",
    "six words that are none": "q=qxwvut%20wxqzvt%20zzxqwv%20vvxqzw%20qqwxzv%20xxwqvz&language=en",
}
"""What is asked for, and its query."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=41, help="how often each question is asked")
    parser.add_argument("--products", type=int, default=100_000, help="how many there are")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="catalogue-") as name:
        folder = Path(name)
        with run_postgres(folder / "postgres") as url:
            imported_s = asyncio.run(_import(url, arguments.products))
            asked = _ask_all(url, folder, arguments.rounds)
            size_bytes = asyncio.run(_size(url))
            note_held("PostgreSQL", _postgres_pid(folder))
    publish(_report(arguments.products, imported_s, asked, size_bytes), arguments.json)


def _words() -> list[str]:
    draw = random.Random(7)  # noqa: S311  # the same every time
    syllables = [one + other for one in "bcdfghklmnprst" for other in "aeiou"]
    return ["".join(draw.choices(syllables, k=draw.randint(2, 4))) for _ in range(20_000)]


def _products(number: int) -> Iterator[Product]:
    draw = random.Random(8)  # noqa: S311  # the same every time
    ring, words = msgspec.json.decode(RING.read_bytes()), _words()

    def common() -> str:
        return words[min(int(draw.paretovariate(0.6)) - 1, len(words) - 1)]

    for index in range(number):
        attributes = {
            "collection": [f"Collection {draw.randrange(60)}"],
            "style": draw.sample(_STYLES, 2),
            "occasion": draw.sample(_OCCASIONS, 2),
        }
        changed = {
            "id": f"ring-{index}",
            "title": f"{draw.choice(words).title()} {common()} ring",
            "text": f"{ring['text']} {' '.join(common() for _ in range(30))}",
            "attributes": attributes,
        }
        yield msgspec.convert({**ring, **changed}, Product)


async def _import(url: str, number: int) -> float:
    """Migrate, write the products, and return how many seconds the writing took."""
    await migrate(url)
    database = Database(url, limits=Limits(connections=2, wait_s=10, statement_s=60))
    table = ProductTable(database)
    await table.keep((), msgspec.json.decode(RATES.read_bytes(), type=list[Rate]))
    begun_s, batch = time.perf_counter(), list[Product]()
    for product in _products(number):
        batch.append(product)
        if len(batch) == BATCH:
            await table.keep(batch, ())
            batch = []
    await table.keep(batch, ())
    taken_s = time.perf_counter() - begun_s
    await database.read(lambda connection: connection.execute("ANALYZE"))
    await database.close()
    return taken_s


async def _size(url: str) -> int:
    database = Database(url)
    statement = "SELECT pg_total_relation_size('shop.product')"
    found: Any = await database.read(lambda connection: connection.fetchval(statement))
    await database.close()
    return int(found)


def _ask_all(url: str, folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return what each question took, in milliseconds, of every round but the first."""
    environment = {
        "RENDER_CATALOGUE": COMPOSITIONS,
        "RENDER_DATA": folder / "data",
        "RENDER_DATABASE_URL": url,
        "RENDER_SIGNING_KEYS": KEY,
        "RENDER_WORKERS": 1,
        "RENDER_FILE_TIER_BYTES": 0,
    }
    words = _words()
    taken: dict[str, list[float]] = {name: [] for name in _QUESTIONS}
    with (
        run_service(environment, folder / "service.log") as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}/v1/products", timeout=60) as client,
    ):
        for turn in range(rounds + 1):
            for name, query in _QUESTIONS.items():
                address = "?" + query.format(rare=words[-1 - turn])
                begun_s = time.perf_counter()
                answer = client.get(address)
                taken[name].append((time.perf_counter() - begun_s) * 1000)
                answer.raise_for_status()
    return {name: times[1:] for name, times in taken.items()}


def _postgres_pid(folder: Path) -> int:
    return int(next(folder.glob("postgres/**/postmaster.pid")).read_text().split()[0])


def _p95(times_ms: list[float]) -> float:
    return sorted(times_ms)[math.ceil(0.95 * len(times_ms)) - 1]


def _report(
    number: int, imported_s: float, asked: Mapping[str, list[float]], size_bytes: int
) -> Report:
    rows = [
        ("import", f"{imported_s:.0f} s: {number / imported_s:.0f} a second", ""),
        *((name, spread(times), f"{_p95(times):.1f}") for name, times in asked.items()),
    ]
    slowest = max(asked, key=lambda name: _p95(asked[name]))
    worst_ms = _p95(asked[slowest])
    return Report(
        question=f"How long do {number:,} products take to import, list, search and count?",
        method=__doc__ or "",
        machine=machine_facts("asyncpg", "litestar", "msgspec"),
        settings={"products": number, "rounds": len(next(iter(asked.values())))},
        columns=("what is asked for", "milliseconds, over HTTP", "95th percentile"),
        rows=tuple(rows),
        verdicts=(
            f"Goal: every question under {GOAL_MS:.0f} ms at the 95th percentile: the slowest is "
            f"{slowest!r}, {worst_ms:.0f} ms: {'met' if worst_ms < GOAL_MS else 'missed'}.",
            f"The table and its indexes take {size_bytes / 1e6:.0f} MB.",
        ),
        charts=(
            Chart(
                title="A page of 20 products, by what is asked for",
                unit="ms",
                bars=tuple(bar(name, times) for name, times in asked.items()),
                goal=GOAL_MS,
            ),
        ),
    )


if __name__ == "__main__":
    main()
