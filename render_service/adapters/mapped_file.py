"""A file as memory that all processes share, read-only, for as long as anyone refers to it.

The rule: a mapping holds no descriptor. Python's own `mmap` keeps one open for each (until 3.13's
`trackfd`), and a process may have 1,024; so the system is called itself, through ctypes.
"""

import ctypes
import mmap
import os
import weakref
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long),
)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_FAILED: Final = ctypes.c_void_p(-1).value


def map_file(descriptor: int) -> memoryview:
    """Return the bytes of an open file, read-only; the descriptor may be closed at once.

    All pages are read now: whoever maps a file here reads every byte of it next.

    Raises:
        ValueError: It is empty, and cannot be mapped.
        OSError: The system refused.
    """
    size_bytes = os.fstat(descriptor).st_size
    if not size_bytes:
        raise ValueError("an empty file cannot be mapped")
    flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
    address = _libc.mmap(None, size_bytes, mmap.PROT_READ, flags, descriptor, 0)
    if address == _FAILED:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    pixels = (ctypes.c_ubyte * size_bytes).from_address(address)
    # Views and arrays over it keep it alive; with the last of them the mapping goes.
    weakref.finalize(pixels, _libc.munmap, address, size_bytes).atexit = False
    return memoryview(pixels).cast("B").toreadonly()
