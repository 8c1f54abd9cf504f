"""What `escrow contract` does: make the contract anew from the log, as the auditor, and compare."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from uuid import UUID

import typer

from cli.connection import run_as
from cli.exit_code import DIFFERENCE
from cli.output import print_json, say
from database.settings import Settings
from documents.contract import Contract, draw_contract
from documents.pdf import read_lines
from domain.errors import Invalid, NotFound
from domain.transaction.contract import ContractMissing
from reactions.contract import read_contract

PDF_BEGINS = b"%PDF-"
NAMED = re.compile(r"^Transaction +([0-9a-f-]{36})$")
MOST_SHOWN = 20
MOST_LINES = 2000
LARGEST = 10 * 1024 * 1024


class TransactionUnnamed(Invalid):
    """The file does not say of which transaction it is; say it with --transaction."""

    code = "transaction_unnamed"


class NoContract(NotFound):
    """The log holds no contract of this transaction."""

    code = "no_contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the comparison came to; `signatures` are those that the file shows, when it is ours to the byte."""

    transaction_id: UUID
    kind: str
    contract_sha256: str
    same: bool
    signatures: tuple[str, ...]
    differences: tuple[str, ...]


def verify_contract(file: Path, transaction_id: UUID | None, *, as_json: bool) -> None:
    """Print the verdict; exit 3 for a difference. Raises TransactionUnnamed, NoContract and ContractLost."""
    with file.open("rb") as stream:
        content = stream.read(LARGEST)
    named = transaction_id or _find_named(content)
    try:
        contract = run_as("auditor", Settings(), lambda pool: read_contract(pool, named))
    except ContractMissing as error:
        raise NoContract from error
    verdict = compare(content, contract)
    if as_json:
        print_json(asdict(verdict))
    else:
        _say(verdict)
    if not verdict.same:
        raise typer.Exit(DIFFERENCE)


def compare(content: bytes, contract: Contract) -> Verdict:
    """Hold a file against the contract of the log: a PDF may be older than a signature, but never otherwise."""
    is_pdf = content.startswith(PDF_BEGINS)
    signed = contract.signatures
    forms = [replace(contract, signatures=signed[:count]) for count in range(len(signed), -1, -1)] if is_pdf else []
    same = next((form for form in forms if draw_contract(form) == content), None)
    is_same = same is not None or content == contract.text
    return Verdict(
        transaction_id=contract.transaction_id,
        kind="pdf" if is_pdf else "text",
        contract_sha256=contract.sha256,
        same=is_same,
        signatures=tuple(each.role.value for each in same.signatures) if same else (),
        differences=() if is_same else tuple(_differences(content, contract, forms)),
    )


def _find_named(content: bytes) -> UUID:
    found = (NAMED.match(line) for line in _lines_of(content))
    first = next((match for match in found if match), None)
    try:
        return UUID(first[1] if first else "")
    except ValueError as error:
        raise TransactionUnnamed from error


def _lines_of(content: bytes) -> list[str]:
    is_pdf = content.startswith(PDF_BEGINS)
    return (read_lines(content) if is_pdf else content.decode(errors="replace").split("\n"))[:MOST_LINES]


def _differences(content: bytes, contract: Contract, forms: Sequence[Contract]) -> list[str]:
    """Name the lines that differ from the form that is nearest, or the first byte where every line reads the same."""
    found = _lines_of(content)
    expected = [draw_contract(form) for form in forms] or [contract.text]
    nearest = max(expected, key=lambda each: SequenceMatcher(None, _lines_of(each), found).ratio())
    lines = list(_lines_that_differ(_lines_of(nearest), found))
    if lines:
        return lines[:MOST_SHOWN]
    pairs = enumerate(zip(nearest, content, strict=False))
    place = next((n for n, (one, other) in pairs if one != other), min(len(nearest), len(content)))
    return [f"every line reads the same, but not every byte is: another program wrote it, from byte {place} on"]


def _lines_that_differ(expected: Sequence[str], found: Sequence[str]) -> list[str]:
    changes = SequenceMatcher(None, expected, found, autojunk=False).get_opcodes()
    return [
        f"line {a1 + 1}: the log says {_quote(expected[a1:a2])}, the file {_quote(found[b1:b2])}"
        for tag, a1, a2, b1, b2 in changes
        if tag != "equal"
    ]


def _quote(lines: Sequence[str]) -> str:
    return f'"{" / ".join(line.strip() for line in lines)}"' if lines else "nothing"


def _say(verdict: Verdict) -> None:
    if verdict.same:
        signed = ", signed by " + " and ".join(verdict.signatures) if verdict.signatures else ""
        say(f"The same to the byte as the log says: transaction {verdict.transaction_id}{signed}.")
        return
    say(f"It is not what the log says of transaction {verdict.transaction_id}:")
    for difference in verdict.differences:
        say(f"  {difference}")
