"""The peers' programs, installed under `build/peers`: sharp by npm, thumbor and Pillow by pip.

The rule: what is installed is what the lock files beside the peers name, by their hashes; what is
there already and current is left alone.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
HOME: Final = ROOT / "build" / "peers"
NODE_HOME: Final = HOME / "node"
PYTHON_HOME: Final = HOME / "python"
PYTHON: Final = PYTHON_HOME / "bin" / "python"

_HERE: Final = Path(__file__).parent
_MANIFEST: Final = (_HERE / "package.json", _HERE / "package-lock.json")
_LOCKS: Final = (ROOT / "locks" / "build.txt", ROOT / "locks" / "peers.txt")
# derpconf, the settings of thumbor, comes as source only; its tools are in locks/build.txt.
_WORDS: Final = ("--require-hashes", "--only-binary=:all:", "--no-binary=derpconf,pyvips")


def install_node() -> None:
    """Install sharp.

    Raises:
        FileNotFoundError: There is no Node.js on this machine; says what to install.
        CalledProcessError: npm failed; it has said why.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise FileNotFoundError("node and npm are not on PATH: install Node.js 20 or newer")
    wanted = _digest(*_MANIFEST)
    if _is_current(NODE_HOME, wanted):
        return
    print("Installing sharp under build/peers/node …", flush=True)
    shutil.rmtree(NODE_HOME, ignore_errors=True)
    NODE_HOME.mkdir(parents=True)
    for file in _MANIFEST:
        shutil.copy(file, NODE_HOME)
    _run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], NODE_HOME)
    (NODE_HOME / "stamp").write_text(wanted)


def install_python() -> None:
    """Install thumbor, Pillow and gunicorn.

    Raises:
        CalledProcessError: pip failed; it has said why.
    """
    wanted = _digest(*_LOCKS)
    if _is_current(PYTHON_HOME, wanted):
        return
    print("Installing thumbor and Pillow under build/peers/python …", flush=True)
    shutil.rmtree(PYTHON_HOME, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(PYTHON_HOME)], ROOT)
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-qq", *_WORDS]
    for lock in _LOCKS:
        _run([*pip, "--no-build-isolation", "-r", str(lock)], ROOT)
    (PYTHON_HOME / "stamp").write_text(wanted)


def versions() -> dict[str, str]:
    """Return the versions of what was installed, by name."""
    script = (
        "from importlib.metadata import version as v; from PIL import features as f;"
        "print(v('thumbor'), v('pillow'), v('gunicorn'), f.version('webp'), f.version('avif'))"
    )
    python = _ask([str(PYTHON), "-c", script], ROOT).split()
    node = "const s = require('sharp').versions; console.log(process.version, s.sharp, s.vips)"
    found = _ask(["node", "-e", node], NODE_HOME).split()
    names = ("thumbor", "Pillow", "gunicorn", "its libwebp", "its libavif")
    return dict(zip(names, python, strict=True)) | dict(
        zip(("Node.js", "sharp", "sharp's libvips"), found, strict=True)
    )


def _is_current(home: Path, wanted: str) -> bool:
    stamp = home / "stamp"
    return stamp.is_file() and stamp.read_text() == wanted


def _digest(*files: Path) -> str:
    """Of the files, and of the place: an environment cannot be moved."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603  # our own words


def _ask(command: list[str], folder: Path) -> str:
    done = subprocess.run(  # noqa: S603  # our own words
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout
