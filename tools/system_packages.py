"""See that the Debian packages of apt-packages.txt are there; as root, install what is missing.

The service itself needs none. Anyone but root is told what is missing and what to type; the exit
status is then 3, and the caller decides whether to go on without.

    python3 tools/system_packages.py test
"""

import ctypes
import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).resolve().parent.parent / "apt-packages.txt"
MISSING = 3


def main() -> int:
    """Install what the use on the command line lacks, or say it; return 0 if nothing is missing."""
    needed = wanted(LIST.read_text(), use=sys.argv[1])
    missing = [package for package, sign in needed if not is_there(sign)]
    if not missing:
        return 0
    names = " ".join(missing)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {names} …", flush=True)
        if _apt_get("update") and _apt_get("install", "-y", "--no-install-recommends", *missing):
            return 0
    print(f"Not on this machine: {names}. To have it: sudo apt-get install {names}", flush=True)
    return MISSING


def wanted(listing: str, use: str) -> list[tuple[str, str]]:
    """Return (package, sign of it) for the lines of `listing` about `use`; # starts a comment."""
    lines = (line.partition("#")[0].split() for line in listing.splitlines())
    return [(package, sign) for what, package, sign in filter(None, lines) if what == use]


def is_there(sign: str) -> bool:
    """Whether the program, the shared library or the file (a pattern from /) `sign` is found."""
    if sign.startswith("/"):
        return bool(glob.glob(sign))
    if ".so" not in sign:
        return shutil.which(sign) is not None
    try:
        ctypes.CDLL(sign)
    except OSError:
        return False
    return True


def _apt_get(*words: str) -> bool:
    """Whether `apt-get` with these words went well; it speaks only of errors."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *words]
    done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
