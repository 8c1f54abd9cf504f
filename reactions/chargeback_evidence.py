"""What the log shows about a sale that a buyer charged back: a document made of its events, and of nothing else.

The same events give the same bytes, so that what was promised can be made again after a crash, and by anybody who has
the log. Parties appear by id; no secret, no credentials, no word that a person typed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import cast
from uuid import UUID

from documents.pdf import show_time, write_pdf
from domain.transaction import Transaction
from domain.transaction.contract import ContractMissing
from domain.transaction.records import Dispute
from eventstore.log import RecordedEvent, read_stream
from reactions.contract import ContractLost, read_contract
from reactions.toolbox import Toolbox

TEMPLATE_VERSION = "2026-11-27"
FACTS: Mapping[str, str] = {
    "transaction.opened.v1": "The buyer ordered the account of the listing {listing_id}.",
    "transaction.payment_received.v1": "Paid: {amount} by {channel}, charge {processor_id}, reference {reference}.",
    "transaction.funds_held.v1": "The price was held in escrow for both parties.",
    "transaction.contract_generated.v1": "The contract was made; SHA-256 {content_sha256}.",
    "transaction.contract_signed.v1": "The {signer_role} signed it by typing the legal name; SHA-256 of the contract "
    "{content_sha256}, salted SHA-256 of the name {name_digest}.",
    "transaction.credentials_granted.v1": "The seller handed the key of the deposited credentials to the buyer's key "
    "{key_fingerprint}.",
    "transaction.credentials_revealed.v1": "The credentials were shown to the buyer, who had to give his password.",
    "transaction.reveal_acknowledged.v1": "The buyer acknowledged that he received them.",
    "transaction.access_confirmed.v1": "The buyer confirmed that they give him access; SHA-256 of the statements "
    "{statements_sha256}.",
    "transaction.statement_recorded.v1": "The buyer stated in writing that he has access; salted SHA-256 "
    "{content_sha256}.",
    "transaction.inspection_extended.v1": "The buyer got more time to inspect, until {ends_at}.",
    "transaction.inspection_lapsed.v1": "The time to inspect ended without an objection; agreed for that: {outcome}.",
    "transaction.dispute_opened.v1": "A dispute was opened by the {source}: {category}.",
    "transaction.dispute_withdrawn.v1": "Who had opened a dispute withdrew it.",
    "transaction.dispute_resolved.v1": "A dispute was closed: {finding}.",
    "transaction.release_ordered.v1": "The money was released to the seller: {amount}, basis: {basis}.",
    "transaction.split_ordered.v1": "The money was divided between the parties.",
    "transaction.payout_requested.v1": "A transfer of {amount} was ordered for the {purpose}, reference {reference}.",
    "transaction.payout_succeeded.v1": "The transfer {reference} was paid.",
    "transaction.payout_reversed.v1": "The transfer {reference} came back.",
    "transaction.refund_ordered.v1": "A refund of {amount} was ordered, reference {reference}.",
    "transaction.refund_processed.v1": "The refund {reference} was paid to the buyer.",
    "transaction.stray_chargeback_lost.v1": "An earlier chargeback took {amount} of another payment back.",
    "transaction.chargeback_lost.v1": "An earlier chargeback took {amount} back.",
}


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """The document, its hash, what it comes to in a sentence, and when the credentials were shown."""

    content: bytes
    summary: str
    delivered_on: date | None

    @property
    def sha256(self) -> str:
        """Of the bytes, in hexadecimal."""
        return sha256(self.content).hexdigest()


async def assemble(tools: Toolbox, transaction_id: UUID, dispute: Dispute, version: int) -> EvidenceFile:
    """Make the document of the events up to a version of the transaction."""
    events = await read_stream(tools.pool, transaction_id, to_version=version)
    transaction = await tools.escrow.get(Transaction, transaction_id, version=version)
    lines = [*_lines(transaction, dispute, events), *await _contract(tools, transaction_id, version)]
    title = f"Evidence about chargeback {dispute.processor_dispute_id}"
    return EvidenceFile(
        content=write_pdf(lines, title=title, at=_at(events[-1])),
        summary=summarise(transaction),
        delivered_on=transaction.revealed_at.date() if transaction.revealed_at else None,
    )


def summarise(transaction: Transaction) -> str:
    """Say in a few sentences what the buyer did, and when."""
    confirmed = transaction.access_confirmed_at
    steps = (
        ("The buyer signed the contract", transaction.buyer_signed_at),
        ("the credentials of the account were shown to the buyer", transaction.revealed_at),
        ("the buyer acknowledged their receipt", transaction.acknowledged_at),
        ("the buyer confirmed that they give access", confirmed),
    )
    told = "; ".join(f"{what} on {show_time(at)}" for what, at in steps if at is not None)
    return f"Access to a digital account, sold through escrow. {told}. Contract SHA-256: {transaction.contract_sha256}."


def _lines(transaction: Transaction, dispute: Dispute, events: Sequence[RecordedEvent]) -> Iterator[str]:
    yield f"EVIDENCE ABOUT CHARGEBACK {dispute.processor_dispute_id}"
    yield ""
    yield f"Transaction       {transaction.id}"
    yield f"Charge            {transaction.payment_reference} ({transaction.processor_charge_id})"
    yield f"Price             {_amount(transaction.price.amount_minor, transaction.price.currency.value)}"
    yield f"Buyer             {transaction.buyer_id}"
    yield f"Seller            {transaction.seller_id}"
    yield f"Contract SHA-256  {transaction.contract_sha256}"
    yield ""
    yield summarise(transaction)
    yield ""
    yield f"What follows are events of a ledger that only grows, up to version {events[-1].version} of the transaction,"
    yield f"position {events[-1].position} of the ledger; each bears its position there. Nothing was added by hand."
    yield "Parties appear by their ids. All times are UTC."
    yield ""
    yield from _history(events)


def _history(events: Sequence[RecordedEvent]) -> Iterator[str]:
    for recorded in events:
        sentence = FACTS.get(recorded.topic)
        if sentence is not None:
            yield f"{show_time(_at(recorded))}  {recorded.position}"
            yield f"    {sentence.format_map(_facts(recorded))}"


def _at(recorded: RecordedEvent) -> datetime:
    return datetime.fromisoformat(cast("str", recorded.data["timestamp"]))


def _facts(recorded: RecordedEvent) -> dict[str, object]:
    data = recorded.data
    if "amount_minor" not in data or "currency" not in data:
        return dict(data)
    return {**data, "amount": _amount(cast("int", data["amount_minor"]), cast("str", data["currency"]))}


async def _contract(tools: Toolbox, transaction_id: UUID, version: int) -> list[str]:
    """The text that both signed; left out where its hash does not prove it."""
    try:
        contract = await read_contract(tools.pool, transaction_id, to_version=version)
    except (ContractMissing, ContractLost):
        return []
    head = "THE CONTRACT THAT BOTH SIGNED, WITH THE SHA-256 GIVEN ABOVE"
    return ["", head, "", *contract.text.decode().splitlines()]


def _amount(amount_minor: int, currency: str) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d} {currency}"
