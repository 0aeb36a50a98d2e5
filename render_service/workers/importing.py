"""The job that writes the rows of a file as products.

The rule: rows are written some at a time, each lot in one transaction with what became of it and
how far the job is. So an attempt that follows another's death begins behind the last lot, no row is
written twice, and none by halves.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import msgspec
from msgspec import Struct

from render_service.adapters.import_table import Import, ImportTable, Outcome, keep_outcomes
from render_service.adapters.postgres import Database
from render_service.adapters.product_table import keep_product
from render_service.composition.catalogue import Catalogue
from render_service.errors import FieldFault, InvalidProduct
from render_service.jobs.model import JSON
from render_service.jobs.ports import Connection, Task
from render_service.products.accept import accept
from render_service.products.model import Product
from render_service.products.rows import Row, RowReader

LOT: Final = 200
"""Rows of a transaction: some 0.5 s, in which nobody else changes these products."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far an import is: what an attempt keeps for the next.

    Attributes:
        checked: Whether every row was looked at, where nothing is written before.
        line: The last line that is done, of this pass.
        counts: Outcome → how many rows had it.
    """

    checked: bool = False
    line: int = 0
    counts: dict[str, int] = {}


class Accepted(Struct, frozen=True, kw_only=True):
    """A row that was looked at; `product` is None where it is refused."""

    outcome: Outcome
    product: Product | None


class Importing:
    """Handles jobs of imports.

    Args:
        database: Where files and products are.
        read_catalogue: Reads what is live.
    """

    def __init__(
        self, database: Database, read_catalogue: Callable[[], Awaitable[Catalogue]]
    ) -> None:
        self._database, self._files = database, ImportTable(database)
        self._read_catalogue = read_catalogue

    async def handle(self, task: Task) -> JSON:
        """Import the file of a job.

        Returns:
            `rows` by outcome; `rejected` where nothing was written, as a row was refused.
        """
        file = await self._files.get(task.job.payload["import"])
        catalogue = await self._read_catalogue()
        state = task.job.state
        progress = msgspec.convert(state, Progress) if state else Progress()
        if (file.reject_all or file.dry_run) and not progress.checked:
            progress = await self._pass(task, file, catalogue, progress, writes=False)
            refused = progress.counts.get("refused", 0)
            if file.dry_run or refused:
                return {"rows": progress.counts, "rejected": bool(refused), "dry_run": file.dry_run}
            progress = Progress(checked=True)
            await self._keep(task, file, progress, [], writes=False)
        progress = await self._pass(task, file, catalogue, progress, writes=True)
        return {"rows": progress.counts, "rejected": False, "dry_run": False}

    async def _pass(
        self, task: Task, file: Import, catalogue: Catalogue, progress: Progress, *, writes: bool
    ) -> Progress:
        """Go through the rows behind `progress`, and return how far it then is."""
        lot: list[Accepted] = []
        async for row in self._accepted(file, catalogue):
            # A quarter of a millisecond each: the job's lock is kept in between.
            await asyncio.sleep(0)
            if row.outcome.line <= progress.line:
                continue
            lot.append(row)
            if len(lot) == LOT:
                progress = await self._keep(task, file, progress, lot, writes=writes)
                lot = []
                done = sum(progress.counts.values())
                await task.report(done, 0, "writing rows" if writes else "checking rows")
        return await self._keep(task, file, progress, lot, writes=writes)

    async def _accepted(self, file: Import, catalogue: Catalogue) -> AsyncIterator[Accepted]:
        seen: dict[str, int] = {}
        async for row in self._rows(file):
            yield _look_at(row, catalogue, seen)

    async def _rows(self, file: Import) -> AsyncIterator[Row]:
        reader, line = RowReader(file.format), 0
        try:
            async for text in self._files.lines(file.id):
                line += 1
                if (row := reader.take(text)) is not None:
                    yield row
        except InvalidProduct as error:
            # Nothing behind it can be read.
            yield Row(line=line, faults=error.faults)
            return
        if (row := reader.end()) is not None:
            yield row

    async def _keep(
        self, task: Task, file: Import, progress: Progress, lot: list[Accepted], *, writes: bool
    ) -> Progress:
        """Write a lot, what became of it, and how far the job is: all of it or nothing."""

        async def work(connection: Connection) -> Progress:
            counts, outcomes = dict(progress.counts), []
            for one in lot:
                outcome = one.outcome
                if writes and one.product is not None:
                    done = await keep_product(connection, one.product, file.ordered_by)
                    outcome = msgspec.structs.replace(outcome, outcome=done)
                counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
                outcomes.append(outcome)
            line = lot[-1].outcome.line if lot else progress.line
            kept = Progress(checked=progress.checked, line=line, counts=counts)
            await keep_outcomes(connection, file.id, outcomes)
            return kept

        async def held(connection: Connection) -> Progress:
            # Products first would be locked for a job that another has.
            await task.hold(connection)
            kept = await work(connection)
            await task.keep(connection, msgspec.to_builtins(kept))
            return kept

        kept, _ = await self._database.write(held)
        return kept


def _look_at(row: Row, catalogue: Catalogue, seen: dict[str, int]) -> Accepted:
    faults, product = row.faults, None
    if not faults:
        try:
            product = accept(row.raw, catalogue)
        except InvalidProduct as error:
            faults = error.faults
    if product is not None and product.id in seen:
        problem = f"is that of line {seen[product.id]}, too"
        faults = (FieldFault(field="id", given=product.id, problem=problem),)
        product = None
    given = row.raw.get("id") if isinstance(row.raw, dict) else None
    if product is not None:
        seen[product.id] = row.line
    name = given[:200].replace("\0", "\ufffd") if isinstance(given, str) else None
    outcome = Outcome(
        line=row.line,
        product=name,
        outcome="refused" if product is None else "sound",
        faults=[msgspec.to_builtins(fault) for fault in faults],
    )
    return Accepted(outcome=outcome, product=product)
