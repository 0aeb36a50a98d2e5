"""The studio: path-traces the layers of a composition from nothing.

Importing it chooses Mitsuba's compiled CPU variant, which needs a recent LLVM.
"""

import ctypes
import os

import mitsuba as mi

_LLVM = "libLLVM.so.19.1"  # Debian's libllvm19; LLVM 15 aborts on processors with AVX-512

if "DRJIT_LIBLLVM_PATH" not in os.environ:
    try:
        ctypes.CDLL(_LLVM)
    except OSError:
        pass  # Dr.Jit then looks for one itself, and says so when there is none.
    else:
        os.environ["DRJIT_LIBLLVM_PATH"] = _LLVM
mi.set_variant("llvm_ad_rgb")
