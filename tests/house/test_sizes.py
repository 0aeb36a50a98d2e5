import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "render_service"
LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 40


def functions(source: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            yield f"{source.name}:{node.name}", lines - lines_of_docstring(node)


def lines_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return 0
    return (first.end_lineno or 0) - first.lineno + 1


def test_no_file_is_longer_than_300_lines():
    lengths = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}

    assert {name: n for name, n in lengths.items() if n > LINES_OF_A_FILE} == {}


def test_no_function_is_longer_than_40_lines_without_its_docstring():
    lengths = {name: n for path in PACKAGE.rglob("*.py") for name, n in functions(path)}

    assert {name: n for name, n in lengths.items() if n > LINES_OF_A_FUNCTION} == {}
