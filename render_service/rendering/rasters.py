"""Layers kept ready for reuse: in memory within a budget of bytes, and in a store beyond it.

Drawing is little work when its layers are at hand. A raster is made once however many renders of
this process want it at the same time, and is never changed. What was decoded or scaled goes to the
store, if there is one, and what is held is from then on the store's: mapped, and shared with the
other processes.
"""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Literal, NamedTuple

import msgspec

from render_service.pixels.raster import Raster
from render_service.pixels.resample import Frame
from render_service.pixels.vips import LIBVIPS
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import Placement
from render_service.rendering.ports import RasterStore

LARGEST_SHARE: Final = 4
"""A raster over 1/4 of the budget is not kept: it would push out a whole view's layers."""

PENDING_SHARE: Final = 4
"""Rasters that wait to be stored may take 1/4 of the budget; more are made again when wanted."""

MAPPED_BYTES: Final = 64 * 2**10
"""What a mapped raster counts for: its pages are the kernel's to take back, but a process may have
some 65,000 mappings (vm.max_map_count), which a budget of 4 GiB does not reach."""

Step = Literal["decoded", "scaled", "painted"]
RasterKey = tuple[Step, Placement, Frame | None]

# Not what was painted: it is one of as many as there are metals and gems, and would push out what
# takes longer to make; docs/decisions/0090-raster-store.md.
_STORED: Final = ("decoded", "scaled")

_log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder(order="deterministic")


class _Held(NamedTuple):
    raster: Raster
    cost_bytes: int


class Rasters:
    """Rasters by what made them. Safe to use from several threads.

    Attributes:
        budget_bytes: The most that rasters in memory may take; what is in use on top is the
            renders'.
    """

    def __init__(self, *, budget_bytes: int, store: RasterStore | None = None) -> None:
        """Begin with nothing in memory.

        Args:
            budget_bytes: For what is in memory.
            store: Keeps what was decoded and scaled; None: every process makes it for itself.
        """
        self.budget_bytes = budget_bytes
        self._store = store
        self._held: OrderedDict[RasterKey, _Held] = OrderedDict()
        self._making: dict[RasterKey, Future[Raster]] = {}
        self._used_bytes = 0
        self._pending_bytes = 0
        self._lock = threading.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="raster-put") if store else None

    @property
    def used_bytes(self) -> int:
        """Bytes of the rasters held."""
        return self._used_bytes

    def get(self, key: RasterKey) -> Raster | None:
        """Return the raster held under `key` and mark it as used just now, or None."""
        with self._lock:
            return self._get(key)

    def is_stored(self, key: RasterKey) -> bool:
        """Return whether the store may have the raster under `key`. Takes microseconds."""
        return self._store is not None and key[0] in _STORED and self._store.has(name_of(key))

    def load(self, key: RasterKey) -> Raster | None:
        """Return the raster under `key` from memory or the store, or None. Blocks."""
        if (held := self.get(key)) is not None:
            return held
        raster = self._store.get(name_of(key)) if self._store else None
        if raster is not None:
            self._put(key, raster, MAPPED_BYTES)
        return raster

    def get_or_make(self, key: RasterKey, make: Callable[[], Raster]) -> Raster:
        """Return the raster under `key`, made by one caller while the others wait for it.

        Raises:
            RenderServiceError: What `make` raises reaches everyone who waits for it.
        """
        with self._lock:
            if (held := self._get(key)) is not None:
                return held
            making = self._making.get(key)
            if making is None:
                mine: Future[Raster] = Future()
                self._making[key] = mine
        if making is not None:
            return making.result()
        try:
            raster = make()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            self._put(key, raster, raster.size_bytes)
            mine.set_result(raster)
            self._keep(key, raster)
            return raster
        finally:
            with self._lock:
                del self._making[key]

    def close(self) -> None:
        """Store what waits to be stored. Blocks."""
        if self._writer is not None:
            self._writer.shutdown()

    def _get(self, key: RasterKey) -> Raster | None:
        held = self._held.get(key)
        if held is None:
            return None
        self._held.move_to_end(key)
        return held.raster

    def _put(self, key: RasterKey, raster: Raster, cost_bytes: int) -> None:
        with self._lock:
            self._drop(key)
            if cost_bytes * LARGEST_SHARE > self.budget_bytes:
                return
            self._held[key] = _Held(raster, cost_bytes)
            self._used_bytes += cost_bytes
            while self._used_bytes > self.budget_bytes:
                self._drop(next(iter(self._held)))

    def _drop(self, key: RasterKey) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._used_bytes -= held.cost_bytes

    def _keep(self, key: RasterKey, raster: Raster) -> None:
        """Have a raster stored behind what it was made for."""
        if self._writer is None or key[0] not in _STORED or not raster.size_bytes:
            return
        with self._lock:
            pending_bytes = self._pending_bytes + raster.size_bytes
            # One alone may be larger: what takes longest to make is worth most.
            if self._pending_bytes and pending_bytes * PENDING_SHARE > self.budget_bytes:
                return
            self._pending_bytes = pending_bytes
        self._writer.submit(self._write, key, raster)

    def _write(self, key: RasterKey, raster: Raster) -> None:
        """Store a raster, and hold the store's from then on."""
        name, store = name_of(key), self._store
        try:
            if store is None:
                return
            # Another process may have stored it meanwhile.
            mapped = store.get(name)
            if mapped is None and store.put(name, raster):
                mapped = store.get(name)
            if mapped is not None:
                self._put(key, mapped, MAPPED_BYTES)
        except Exception:
            # A thread of a pool would swallow it.
            _log.exception("a layer could not be stored")
        finally:
            with self._lock:
                self._pending_bytes -= raster.size_bytes


def name_of(key: RasterKey) -> str:
    """Return the name of a raster in a store: 64 hex digits, of all that its pixels depend on.

    libvips is part of it: a decoder may round otherwise in its next release.
    """
    made_by = (PIPELINE_REVISION, LIBVIPS, *key)
    return hashlib.sha256(_encoder.encode(made_by)).hexdigest()
