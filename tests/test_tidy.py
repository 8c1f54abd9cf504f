"""The limits of the house: short functions, short files, plain names, SQL in files, nothing left for later."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.rooms import ROOMS, ROOT, read_pyproject

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
SHUNNED = {"utils", "helpers", "common", "services", "manager", "managers", "core", "misc", "base"}
SQL_WORDS = re.compile(r"\b(SELECT\s.+\sFROM|INSERT INTO|UPDATE\s.+\sSET|DELETE FROM)\b", re.DOTALL)
PSQL = 'psql "$('
OF_A_TEST = re.compile(r"\btest_")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*rooms: str) -> list[Path]:
    """Return the Python files of these rooms."""
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a file, nested ones too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Return the lines of a function without its docstring."""
    end = function.end_lineno or function.lineno
    has_docstring = ast.get_docstring(function) is not None
    docstring = function.body[0] if has_docstring else None
    return end - function.lineno + 1 - ((docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0)


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(*ROOMS, "tests", "bench")}
    assert {str(path): lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{function.name}": length(function)
        for path in sources(*ROOMS)
        for function in functions(path)
        if length(function) > LONGEST_FUNCTION
    }
    assert long == {}


def test_most_functions_are_short() -> None:
    lengths = sorted(length(function) for path in sources(*ROOMS) for function in functions(path))
    assert lengths[len(lengths) // 2] <= 8
    assert lengths[len(lengths) * 9 // 10] < 20


def test_every_list_of_rooms_names_the_same_ones() -> None:
    project = read_pyproject()["tool"]
    found = project["setuptools"]["packages"]["find"]["include"]
    known = project["ruff"]["lint"]["isort"]["known-first-party"]
    assert [name.removesuffix("*") for name in found] == list(ROOMS)
    assert project["basedpyright"]["include"] == list(ROOMS)
    assert known == [*ROOMS, "bench", "docs", "tests"]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in sources(*ROOMS) if path.stem in SHUNNED] == []


def test_no_test_takes_from_another_test() -> None:
    """What two tests share stands in a module of its own, so that each can be read and changed alone."""
    taking = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources("tests")
        for line in _lines_that_take_from_tests(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert taking == []


def _lines_that_take_from_tests(tree: ast.Module) -> list[int]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [node.lineno for node in imports if OF_A_TEST.search(ast.unparse(node))]


def test_a_test_that_takes_from_another_is_seen_however_it_is_written() -> None:
    for line in (
        "from tests.api.test_matrix import ROWS",
        "from tests.api import test_matrix",
        "import tests.api.test_matrix as matrix",
        "from .test_matrix import ROWS",
        "from . import test_matrix",
        "def late():\n    from tests.api.test_matrix import ROWS",
    ):
        assert len(_lines_that_take_from_tests(ast.parse(line))) == 1, line
    assert _lines_that_take_from_tests(ast.parse("from tests.latest import make_test_file")) == []


def test_every_public_definition_of_the_product_has_a_docstring() -> None:
    missing: list[str] = []
    for path in sources(*ROOMS):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None and path.read_text(encoding="utf-8").strip():
            missing.append(f"{path.relative_to(ROOT)}: module")
        missing += [f"{path.relative_to(ROOT)}: {name}" for name in _undocumented(tree, "")]
    assert missing == []


def _undocumented(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for child in node.body:
        if not isinstance(child, Function | ast.ClassDef) or child.name.startswith("_"):
            continue
        is_overload = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in child.decorator_list)
        if ast.get_docstring(child) is None and not is_overload:
            yield prefix + child.name
        if isinstance(child, ast.ClassDef):
            yield from _undocumented(child, f"{child.name}.")


def test_sql_stands_in_sql_files() -> None:
    inline = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources(*ROOMS)
        for line in _lines_of_sql(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert inline == []


def _lines_of_sql(tree: ast.Module) -> list[int]:
    """Both kinds of strings; a docstring is text, and what shows the reader a call of psql is not run by us."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr) and node not in texts]
    return sorted({node.lineno for node in strings if _is_sql(_text_of(node))})


def _is_sql(text: str) -> bool:
    return SQL_WORDS.search(text) is not None and PSQL not in text


def _text_of(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.JoinedStr):
        return ast.unparse(node)
    return node.value if isinstance(node.value, str) else ""


def test_sql_is_seen_in_plain_strings_and_in_built_ones() -> None:
    assert _lines_of_sql(ast.parse('x = "SELECT id FROM users"')) == [1]
    assert _lines_of_sql(ast.parse('x = f"DELETE FROM {table}"')) == [1]
    assert _lines_of_sql(ast.parse("x = SQL('''\nUPDATE users\nSET name = %s''')")) == [1]
    assert _lines_of_sql(ast.parse('"SELECT id FROM users is what it asks."\nx = "SELECT 1"')) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"])
def test_nothing_is_left_for_later(word: str) -> None:
    marks = [str(path) for path in sources(*ROOMS, "tests", "bench") if re.search(rf"\b{word}\b", path.read_text())]
    assert marks == []


def test_lock_files_record_no_download_address() -> None:
    files = sorted(ROOT.glob("requirements*.txt"))
    assert [path.name for path in files] == ["requirements-dev.txt", "requirements.txt"]
    for path in files:
        assert "://" not in path.read_text(encoding="utf-8"), path
