"""Every known weakness has a test, every guarantee one that keeps it and one in which a planted bug is found."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from docs import proofs
from docs.proofs import NEEDS, ROOT, TESTS, Proof, find_proofs

WEAKNESSES = [f"W{number}" for number in range(1, 36)]
GUARANTEES = [f"G{number}" for number in (*range(1, 12), 15, 17, 18, 19, 20, 21, 23, 27, 28)]

SKIP = re.compile(r"pytest\.(mark\.skip|skip|importorskip)")


def without_proof(wanted: Sequence[str], found: Sequence[Proof]) -> list[str]:
    """Those that no test of `make test` is about."""
    return [about for about in wanted if not any(proof.about == about and not proof.is_soak for proof in found)]


def test_every_weakness_has_a_test() -> None:
    assert without_proof(WEAKNESSES, find_proofs("weakness")) == []


def test_every_guarantee_has_a_test() -> None:
    kept = [proof for proof in find_proofs("guarantee") if "planted" not in proof.facts]
    assert without_proof(GUARANTEES, kept) == []


def test_every_guarantee_has_a_planted_bug_that_is_found() -> None:
    planted = [proof for proof in find_proofs("guarantee") if "planted" in proof.facts]
    assert without_proof(GUARANTEES, planted) == []


@pytest.mark.parametrize(("mark", "known"), [("weakness", WEAKNESSES), ("guarantee", GUARANTEES)])
def test_every_mark_is_about_something_known(mark: str, known: list[str]) -> None:
    assert {proof.about for proof in find_proofs(mark)} - set(known) == set()


@pytest.mark.parametrize(("name", "known"), [("weaknesses.md", WEAKNESSES), ("guarantees.md", GUARANTEES)])
def test_the_page_has_a_section_for_each(name: str, known: list[str]) -> None:
    assert proofs.sections_of(name) == known


@pytest.mark.parametrize("name", proofs.PAGES)
def test_the_page_lists_the_tests_that_carry_its_marks(name: str) -> None:
    assert (proofs.EXPLANATION / name).read_text() == proofs.render(name), "run: .venv/bin/python -m docs.proofs"


def test_the_marks_that_are_read_are_those_that_pytest_sees(request: pytest.FixtureRequest) -> None:
    """Of all that was collected: nothing is marked in a way that reading the source misses."""
    for mark in ("weakness", "guarantee"):
        known = {(proof.path, proof.name, proof.about) for proof in find_proofs(mark)}
        for item in request.session.items:
            for one in item.iter_markers(mark):
                assert {(item.path, item.originalname, about) for about in one.args} <= known  # type: ignore[attr-defined]


def test_what_the_machine_must_have_is_said_of_every_marked_test_that_it_may_skip() -> None:
    marked = [proof for mark in ("weakness", "guarantee") for proof in find_proofs(mark)]
    assert {str(proof.path.relative_to(ROOT)) for proof in marked if may_be_skipped(proof)} == set(NEEDS)
    shared = [path for path in TESTS.rglob("*.py") if not path.name.startswith("test_")]
    assert [str(path) for path in shared if SKIP.search(path.read_text())] == [], "a skip that no test's file shows"


def may_be_skipped(proof: Proof) -> bool:
    """By its own mark or body, or by what the tests of its file share."""
    module = ast.parse(proof.path.read_text())
    parts = (
        part for part in module.body if not getattr(part, "name", "").startswith("test_") or part.name == proof.name
    )  # type: ignore[attr-defined]
    return any(SKIP.search(ast.unparse(part)) for part in parts)


TWO = """
import pytest

KILLS = 7

@pytest.mark.weakness("W1")
@pytest.mark.guarantee("G4", faults="kill -9", runs=f"{KILLS} kills")
async def test_one() -> None: ...

@pytest.mark.weakness("W2", "W3")
@pytest.mark.soak
def test_two() -> None: ...
"""


def test_a_number_without_a_test_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(TWO)
    found = find_proofs("weakness", tmp_path)
    assert [(proof.about, proof.name, proof.is_soak) for proof in found] == [
        ("W1", "test_one", False),
        ("W2", "test_two", True),
        ("W3", "test_two", True),
    ]
    assert without_proof(["W1", "W2", "W4"], found) == ["W2", "W4"]
    assert find_proofs("guarantee", tmp_path)[0].facts == {"faults": "kill -9", "runs": "7 kills"}


@pytest.mark.parametrize(
    ("changed", "skipped"),
    [
        ("", []),
        ("pytestmark = pytest.mark.skipif(True, reason='no disk')\n", ["test_one", "test_two"]),
        ("def tool():\n    pytest.skip('no compiler')\n", ["test_one", "test_two"]),
        ("def test_three():\n    pytest.skip('of its own')\n", []),
        (
            "@pytest.mark.skipif(True, reason='not root')\n@pytest.mark.weakness('W4')\ndef test_four(): ...\n",
            ["test_four"],
        ),
    ],
)
def test_a_skip_is_seen_where_it_concerns_a_marked_test(tmp_path: Path, changed: str, skipped: list[str]) -> None:
    (tmp_path / "test_two.py").write_text(TWO + changed)
    found = [proof.name for proof in find_proofs("weakness", tmp_path) if may_be_skipped(proof)]
    assert sorted(set(found)) == skipped


def test_a_mark_on_what_is_no_test_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text('@pytest.mark.weakness("W1")\ndef helper() -> None: ...\n')
    with pytest.raises(AssertionError, match="helper"):
        find_proofs("weakness", tmp_path)
