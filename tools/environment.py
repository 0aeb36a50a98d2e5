"""Make a virtual environment that holds what a lock names; one that is current is left alone.

It runs before anything is installed, so it needs only the standard library. Every package comes by
its hash. An environment remembers, in a stamp, what it was made from: the lock, the project file,
the interpreter and the place of the tree (an environment cannot be moved); when all are the same,
nothing is done.

    python3 tools/environment.py .venv test        # from locks/test.txt
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALL = ["install", "--disable-pip-version-check", "--no-input"]
# pyvips, sniffpy (of httplint) and iiif-validator come as source only: their tools are in
# locks/build.txt, and no compiler is needed, for the library itself is in the pyvips-binary wheel.
SOURCES = "--no-binary=pyvips,sniffpy,iiif-validator"
LOCKED = ["--require-hashes", "--only-binary=:all:", SOURCES, "--no-build-isolation"]


def main() -> int:
    """Make the environment named on the command line current; return the exit status."""
    parser = argparse.ArgumentParser(description="Make a virtual environment from a lock.")
    parser.add_argument("folder", help="the environment, relative to the tree")
    parser.add_argument(
        "use", help="the lock: run, embedded, calibrate, test, bench, load or studio"
    )
    arguments = parser.parse_args()
    try:
        # Two of us at once, in two terminals, would install into one another.
        with (ROOT / "pyproject.toml").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            make_current(ROOT / arguments.folder, arguments.use)
    except subprocess.CalledProcessError as error:
        print(f"Set-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


def make_current(environment: Path, use: str) -> None:
    """Install locks/`use`.txt and this project into `environment`, unless they are there.

    Raises:
        CalledProcessError: A command failed; it has said why.
    """
    stamp = environment / "stamps" / use
    wanted = fingerprint("pyproject.toml", "locks/build.txt", f"locks/{use}.txt")
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    started = time.monotonic()
    place = environment.relative_to(ROOT)
    print(f"Setting up {place} from locks/{use}.txt …", flush=True)
    pip = _pip_of(environment)
    for lock in ("build", use):
        _run([*pip, *_quietly(), *LOCKED, "-r", str(ROOT / "locks" / f"{lock}.txt")])
    _run([*pip, *_quietly(), "--no-deps", "--no-index", "--no-build-isolation", "-e", str(ROOT)])
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted)
    print(f"{place} is ready after {time.monotonic() - started:.0f} s.", flush=True)


def fingerprint(*files: str) -> str:
    """Return the digest of the interpreter, the place of the tree and the contents of `files`."""
    digest = hashlib.sha256(f"{platform.python_version()} {ROOT}".encode())
    for file in files:
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def _pip_of(environment: Path) -> list[str]:
    """Return the command that installs into `environment`, which is made anew if it has to be."""
    home = environment / "stamps" / "home"
    wanted = fingerprint()
    python = environment / "bin" / "python"
    if not (home.is_file() and home.read_text() == wanted and python.exists()):
        shutil.rmtree(environment, ignore_errors=True)
        _create(environment)
        home.parent.mkdir()
        home.write_text(wanted)
    if (environment / "bin" / "pip").exists():
        return [str(python), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(python)]


def _create(environment: Path) -> None:
    """Create `environment`; Debian and Ubuntu keep a part of venv in a package of its own."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    has_ensurepip = importlib.util.find_spec("ensurepip") is not None
    if not has_ensurepip and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {package} …", flush=True)
        _run(["apt-get", "update", "-qq"])
        _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", package])
        has_ensurepip = True
    if has_ensurepip:
        _run([sys.executable, "-m", "venv", str(environment)])
    elif importlib.util.find_spec("pip") is not None:
        _run([sys.executable, "-m", "venv", "--without-pip", str(environment)])
    else:
        sys.exit(f"{sys.executable} has neither ensurepip nor pip: apt-get install {package}")


def _quietly() -> list[str]:
    """The words of `pip install`: with its progress for a person, without it for a log."""
    return INSTALL if sys.stderr.isatty() else [*INSTALL, "-qq"]


def _run(command: list[str]) -> None:
    # Debian's tools wait for an answer unless told that nobody is there; and pyvips would build
    # itself against a libvips of the machine if pkg-config found one.
    words = {"DEBIAN_FRONTEND": "noninteractive", "PKG_CONFIG": "false"}
    subprocess.run(command, check=True, env={**os.environ, **words})


if __name__ == "__main__":
    sys.exit(main())
