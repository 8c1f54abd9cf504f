"""The contract on paper: the text to the byte, its SHA-256, and who signed it when. Parties appear by id."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from documents.pdf import Attachment, show_time, write_pdf
from domain.actor import Role
from domain.contract import contract_sha256

TEXT_NAME = "contract.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What the log says about one signature; `event_sha256` covers the recorded event, byte for byte."""

    role: Role
    signer_id: UUID
    signed_at: datetime
    name_digest: str
    position: int
    event_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract as the log knows it; `text` is what both sign, in UTF-8."""

    transaction_id: UUID
    text: bytes
    made_at: datetime
    signatures: tuple[Signature, ...]

    @property
    def sha256(self) -> str:
        """Of the text, in hexadecimal."""
        return contract_sha256(self.text)


def draw_contract(contract: Contract) -> bytes:
    """Return the PDF. Its text is that of the contract, line by line; the exact bytes lie in it as a file."""
    lines = [*contract.text.decode().splitlines(), "", *_signed(contract)]
    attachment = Attachment(name=TEXT_NAME, content=contract.text)
    return write_pdf(lines, title=f"Contract {contract.transaction_id}", at=contract.made_at, attachment=attachment)


def _signed(contract: Contract) -> Iterator[str]:
    yield "SIGNATURES"
    yield ""
    yield f"SHA-256 of the text above   {contract.sha256}"
    yield f"The text without this part lies in this document as {TEXT_NAME}. Made {show_time(contract.made_at)}."
    for role in (Role.BUYER, Role.SELLER):
        found = next((each for each in contract.signatures if each.role is role), None)
        yield ""
        yield from _unsigned(role) if found is None else _signature(found)


def _unsigned(role: Role) -> Iterator[str]:
    yield f"{role.value.capitalize():10}not signed when this document was made"


def _signature(signature: Signature) -> Iterator[str]:
    yield f"{signature.role.value.capitalize():10}{signature.signer_id}"
    yield f"  signed            {show_time(signature.signed_at)}, position {signature.position} of the log"
    yield f"  name, salted      {signature.name_digest}"
    yield f"  signature SHA-256 {signature.event_sha256}"
