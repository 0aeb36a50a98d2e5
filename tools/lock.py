"""Resolve every lock anew from pyproject.toml: one file per use, every package by its hashes.

A lock holds for every machine (Linux, any architecture, Python 3.11 and later) and names no index:
where packages come from is the machine's affair, what they are is ours.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each use, what it is resolved from, and the locks whose pins it follows: what is installed into
# one environment must agree.
USES: dict[str, tuple[list[str], list[str]]] = {
    "run": (["pyproject.toml"], []),
    "build": (["--group", "build"], ["run"]),
    "embedded": (["pyproject.toml", "--extra", "embedded"], ["run", "build"]),
    "calibrate": (["pyproject.toml", "--extra", "calibrate"], ["run", "build"]),
    "test": (
        ["pyproject.toml", "--extra", "embedded", "--extra", "calibrate", "--extra", "test"],
        ["run", "build", "embedded", "calibrate"],
    ),
    "bench": (
        ["pyproject.toml", "--extra", "bench", "--extra", "calibrate"],
        ["run", "build", "test"],
    ),
    "load": (["pyproject.toml", "--extra", "load"], ["run", "build", "embedded"]),
    "peers": (["--group", "peers"], ["build"]),
    "studio": (["pyproject.toml", "--extra", "studio"], ["run", "build"]),
}


def main() -> int:
    """Write locks/*.txt; `--upgrade` moves every pin, otherwise pins stay while they fit."""
    with tempfile.TemporaryDirectory() as scratch:
        for use, (source, followed) in USES.items():
            constraints = Path(scratch, f"{use}.txt")
            constraints.write_text("".join(_pins(lock) for lock in followed))
            _compile(use, [*source, "--constraint", str(constraints), *sys.argv[1:]])
    return 0


def _compile(use: str, words: list[str]) -> None:
    target = ROOT / "locks" / f"{use}.txt"
    command = [
        *[sys.executable, "-m", "uv", "pip", "compile", *words, "--output-file", str(target)],
        *["--universal", "--python-version", "3.11", "--generate-hashes"],
        *["--no-header", "--no-annotate", "--quiet"],
    ]
    subprocess.run(command, check=True, cwd=ROOT)
    print(f"locks/{use}.txt: {target.read_text().count('==')} pins")


def _pins(lock: str) -> str:
    """Return the pins of `lock` without their hashes, one a line."""
    lines = (ROOT / "locks" / f"{lock}.txt").read_text().splitlines()
    return "".join(line.removesuffix(" \\") + "\n" for line in lines if not line.startswith(" "))


if __name__ == "__main__":
    sys.exit(main())
