"""Which tests prove what, read from the marks in their source, and the pages that list them.

    @pytest.mark.weakness("W6")                                     an error of such systems that cannot happen here
    @pytest.mark.guarantee("G4", faults="kill -9", runs="4 kills")  a promise that is kept under these faults
    @pytest.mark.guarantee("G4", planted="fsync is off")            a bug that the check of the promise was seen to find

The sections of a page are written by hand, under a heading such as `## W6. …`; what follows their text is made here.
`python -m docs.proofs` writes it anew, and so does `python -m docs.generate`.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
EXPLANATION = ROOT / "docs" / "explanation"
HEADING = re.compile(r"^## (?=[A-Z]+\d+\. )", re.MULTILINE)
MADE = ("* [", "| [", "| shown by", "|---", "Planted, and found:")
"""How the lines begin that are made here; a section's own text has no such line."""
SUITE, SOAK = "`make test`", "`make soak`"

NEEDS = {
    "tests/faults/test_broken_disk.py": "needs gcc",
    "tests/faults/test_full_disk.py": "as root",
    "tests/replay/test_versions.py": "needs Node and npm",
}
"""What the machine must have for the marked tests of a file; where it lacks it they say so and are skipped."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A test with a mark: `about` is the first argument of the mark, `facts` are the named ones."""

    about: str
    path: Path
    name: str
    facts: Mapping[str, str]
    is_soak: bool

    @property
    def link(self) -> str:
        """The test as a sentence that leads to its file, as seen from a page of the explanation."""
        sentence = self.name.removeprefix("test_").replace("_", " ")
        return f"[{sentence}](../../{self.path.relative_to(ROOT)})"

    @property
    def where(self) -> str:
        """What runs the test, and what the machine must have for it."""
        needs = NEEDS.get(str(self.path.relative_to(ROOT)))
        return (SOAK if self.is_soak else SUITE) + (f", {needs}" if needs else "")


def find_proofs(mark: str, folder: Path = TESTS) -> list[Proof]:
    """Return the tests with this mark, by what they are about, where they stand, and in their order there."""
    found = [proof for path in sorted(folder.rglob("test_*.py")) for proof in _read(path, mark)]
    return sorted(found, key=lambda proof: (number_of(proof.about), proof.path))


def number_of(about: str) -> int:
    """Return the number in an id such as "W6"."""
    return int(about.lstrip("WG"))


def _read(path: Path, mark: str) -> Iterator[Proof]:
    text = path.read_text(encoding="utf-8")
    if f"mark.{mark}(" not in text:
        return
    tree = ast.parse(text)
    constants = {name: value for each in tree.body for name, value in _constant(each)}
    for function in tree.body:
        if isinstance(function, Function):
            yield from _proofs_of(function, mark, path, constants)


def _constant(statement: ast.stmt) -> Iterator[tuple[str, object]]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            for name, value in zip(names, values, strict=True):
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                    yield name.id, value.value
        case _:
            return


def _proofs_of(function: Function, mark: str, path: Path, constants: Mapping[str, object]) -> Iterator[Proof]:
    marks = [ast.unparse(each) for each in function.decorator_list]
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{mark}":
            assert function.name.startswith("test_"), f"{path}: {function.name} has a mark and is no test"
            facts = {each.arg or "": _text(each.value, constants) for each in decorator.keywords}
            for about in decorator.args:
                yield Proof(
                    about=_text(about, constants),
                    path=path,
                    name=function.name,
                    facts=facts,
                    is_soak="pytest.mark.soak" in marks,
                )


def _text(node: ast.expr, constants: Mapping[str, object]) -> str:
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.Name(id=name):
            return str(constants[name])
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, constants) for part in parts)
        case ast.FormattedValue(value=value):
            return _text(value, constants)
        case _:
            raise ValueError(f"say it with constants: {ast.unparse(node)}")


def list_weakness(proofs: Sequence[Proof]) -> list[str]:
    """Return one line for each test that shows that a weakness is not here."""
    return [f"* {proof.link}" for proof in proofs]


def list_guarantee(proofs: Sequence[Proof]) -> list[str]:
    """Return the table of the tests of a guarantee, then what was planted to see them fail."""
    shown = [proof for proof in proofs if "planted" not in proof.facts]
    planted = [proof for proof in proofs if "planted" in proof.facts]
    rows = [
        f"| {proof.link} | {proof.facts.get('faults', 'none')} | {proof.facts.get('runs', '')} | {proof.where} |"
        for proof in shown
    ]
    bugs = [
        f"* {proof.link}: {proof.facts['planted']}{'' if proof.where == SUITE else f' ({proof.where})'}"
        for proof in planted
    ]
    return [
        "| shown by | faults | how often | where |",
        "|---|---|---|---|",
        *rows,
        "",
        "Planted, and found:",
        "",
        *bugs,
    ]


PAGES: dict[str, tuple[str, Callable[[Sequence[Proof]], list[str]]]] = {
    "weaknesses.md": ("weakness", list_weakness),
    "guarantees.md": ("guarantee", list_guarantee),
}


def render(name: str) -> str:
    """Return a page with its lists made anew."""
    mark, make_list = PAGES[name]
    proofs = find_proofs(mark)
    head, *sections = HEADING.split((EXPLANATION / name).read_text(encoding="utf-8"))
    return head + "".join(f"## {_fill(section, proofs, make_list)}" for section in sections).rstrip("\n") + "\n"


def _fill(section: str, proofs: Sequence[Proof], make_list: Callable[[Sequence[Proof]], list[str]]) -> str:
    about = section.partition(".")[0]
    lines = section.split("\n")
    end = next((place for place, line in enumerate(lines) if line.startswith(MADE)), len(lines))
    assert all(not line or line.startswith(MADE) for line in lines[end:]), f"{about}: text below a list would be lost"
    text = "\n".join(lines[:end]).rstrip("\n")
    listed = make_list([proof for proof in proofs if proof.about == about])
    return "\n".join([text, "", *listed]).rstrip("\n") + "\n\n"


def sections_of(name: str) -> list[str]:
    """Return the ids that a page has a section for, in their order."""
    text = (EXPLANATION / name).read_text(encoding="utf-8")
    return [section.partition(".")[0] for section in HEADING.split(text)[1:]]


def main() -> None:
    """Write the pages."""
    for name in PAGES:
        (EXPLANATION / name).write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
