"""See that the Debian packages of apt-packages.txt are there; as root, install what is missing.

Only tests need them. Anyone but root is told what is missing and what to type; the exit status is
then 3, and the caller decides whether to go on without.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).resolve().parent.parent / "apt-packages.txt"
MISSING = 3


def main() -> int:
    """Install what is missing, or say it; return 0 when nothing is missing in the end."""
    missing = [name for name, program in wanted(LIST.read_text()) if shutil.which(program) is None]
    if not missing:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get") and _install(missing):
        return 0
    names = " ".join(missing)
    print(f"Not on this machine: {names}. To have it: sudo apt-get install {names}", flush=True)
    return MISSING


def wanted(listing: str) -> list[tuple[str, str]]:
    """Return (package, program it brings) for each line of `listing`; # starts a comment."""
    lines = (line.partition("#")[0].split() for line in listing.splitlines())
    return [(package, program) for package, program in filter(None, lines)]


def _install(packages: list[str]) -> bool:
    """Whether apt-get could install `packages`."""
    print(f"Installing {' '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends"]):
        command = ["apt-get", *words, *(packages if words[0] == "install" else [])]
        done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
