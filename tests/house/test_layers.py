import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# One line that breaks each contract, and the module it is put in.
OFFENCES = {
    "Left may import right, never the reverse": ("errors", "import render_service.settings"),
    "The core does no I/O": ("composition/model", "import socket"),
    "Client libraries stay in adapters": ("settings", "import redis"),
    "Litestar stays in http": ("formats", "import litestar"),
    "pyvips and numpy stay in pixels": ("planning/plan", "import numpy"),
}


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def copy_of_the_package(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "render_service", tree / "render_service")
    shutil.copy(ROOT / "pyproject.toml", tree)
    return tree


def test_each_contract_of_the_layers_bites(tmp_path: Path):
    tree = copy_of_the_package(tmp_path)
    for module, line in OFFENCES.values():
        with (tree / "render_service" / f"{module}.py").open("a") as file:
            file.write(f"\n{line}\n")

    report = lint(tree).stdout

    assert {name for name in OFFENCES if f"{name} BROKEN" in report} == set(OFFENCES), report


def test_a_new_top_level_module_has_to_take_its_place(tmp_path: Path):
    tree = copy_of_the_package(tmp_path)
    (tree / "render_service" / "helpers.py").write_text('"""Where code was left."""\n')

    linted = lint(tree)

    assert linted.returncode != 0
    assert "helpers" in linted.stdout
