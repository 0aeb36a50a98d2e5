"""Finished renditions held in this process: a byte budget, the least recently used out first.

Synchronous on purpose: between deriving a key and looking it up here nothing else can run, which
is what keeps a key from being rendered twice. One event loop owns it; it takes no locks.
"""

from collections import OrderedDict
from typing import Final

from render_service.planning.key import RenderKey
from render_service.rendering.rendition import Rendition

LARGEST_SHARE: Final = 8
"""A rendition over 1/8 of the budget is not kept: it would push out everything else to be asked
for once. Eight of the largest still fit, so a page of them does not evict itself."""


class Memory:
    """Renditions by key, within a budget of body bytes.

    Attributes:
        budget_bytes: The most that bodies may take together; 0 keeps nothing.
    """

    def __init__(self, *, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._held: OrderedDict[RenderKey, Rendition] = OrderedDict()
        self._used_bytes = 0

    @property
    def used_bytes(self) -> int:
        """Bytes of the bodies held."""
        return self._used_bytes

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: RenderKey) -> bool:
        return key in self._held

    def get(self, key: RenderKey) -> Rendition | None:
        """Return what is held under `key` and mark it as used just now, or None."""
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
        return held

    def put(self, key: RenderKey, rendition: Rendition) -> bool:
        """Hold `rendition` under `key`; return whether it was small enough to be kept."""
        size_bytes = len(rendition.body)
        if size_bytes * LARGEST_SHARE > self.budget_bytes:
            return False
        if (replaced := self._held.pop(key, None)) is not None:
            self._used_bytes -= len(replaced.body)
        self._held[key] = rendition
        self._used_bytes += size_bytes
        while self._used_bytes > self.budget_bytes:
            _, oldest = self._held.popitem(last=False)
            self._used_bytes -= len(oldest.body)
        return True


class MemoryTier:
    """A `Memory` as a `RenditionTier`: for a service that has no store to share."""

    name = "memory"

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def get(self, key: RenderKey) -> Rendition | None:
        return self._memory.get(key)

    async def put(self, key: RenderKey, rendition: Rendition) -> None:
        self._memory.put(key, rendition)

    async def close(self) -> None:
        return None
