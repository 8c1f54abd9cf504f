"""Transfers: what was paid out, matched by our reference, which Paystack accepts once."""

from dataclasses import replace
from datetime import datetime

from domain.reconciliation import DifferenceKind
from domain.transaction.records import PayoutStatus
from domain.treasury import Movement
from gateways.payment import Transfer, TransferStatus
from reconciliation import command
from reconciliation.books import Books
from reconciliation.finding import Facts, Findings, Window
from reconciliation.key import TRANSFER, Key
from reconciliation.records import BookedTransfer, Records

NOT_PAID = frozenset({TransferStatus.FAILED, TransferStatus.ABANDONED, TransferStatus.BLOCKED, TransferStatus.REJECTED})
Latest = dict[Key, datetime]
"""When the balance last moved because of something: the only date that a reversal has."""


def match_transfers(books: Books, records: Records, window: Window, latest: Latest, findings: Findings) -> None:
    """Hold every transfer against what was booked, and every accepted payout against the list."""
    seen: set[str] = set()
    for transfer in books.transfers:
        booked = records.transfers.get(transfer.reference)
        if transfer.reference in seen:
            _name_duplicate(transfer, booked, findings)
        else:
            _judge(transfer, booked, window, latest, findings)
        seen.add(transfer.reference)
    for booked in records.transfers.values():
        if booked.reference not in seen and not window.is_before(booked.at):
            _judge_unlisted(booked, window, findings)


def duplicate_key(transfer: Transfer) -> Key:
    """Return the name of a second transfer under a reference: only Paystack's own id tells them apart."""
    return Key(TRANSFER, str(transfer.processor_id or transfer.transfer_code))


def _judge(
    transfer: Transfer, booked: BookedTransfer | None, window: Window, latest: Latest, findings: Findings
) -> None:
    key = Key(TRANSFER, transfer.reference)
    moments = transfer.created_at, transfer.transferred_at, latest.get(key), booked.at if booked else None
    if window.is_before(*(moment for moment in moments if moment is not None)):
        return
    is_young = window.is_young(*moments)
    if booked is None:
        _judge_unknown(transfer, findings, is_young=is_young)
        return
    findings.compare_amounts(key, _facts(transfer, booked), booked.currency, "paid")
    _compare_status(transfer, booked, findings, is_young=is_young)
    _compare_fee(transfer, booked, findings)
    findings.match(key)


def _judge_unknown(transfer: Transfer, findings: Findings, *, is_young: bool) -> None:
    key = Key(TRANSFER, transfer.reference)
    if is_young:
        findings.wait(key)
        return
    sentence = f"Paystack has a transfer of {transfer.amount_minor} {transfer.currency} that no transaction ordered."
    findings.differ(DifferenceKind.MISSING_HERE, key, sentence, _facts(transfer, None))


def _compare_status(transfer: Transfer, booked: BookedTransfer, findings: Findings, *, is_young: bool) -> None:
    key = Key(TRANSFER, transfer.reference)
    if _agrees(transfer, booked):
        if booked.status.is_open:
            findings.wait(key)
    elif is_young:
        findings.wait(key)
    else:
        was_taken_back = transfer.status is TransferStatus.REVERSED
        kind = DifferenceKind.REVERSED if was_taken_back else DifferenceKind.STATUS
        sentence = f"Paystack says the transfer is {transfer.status}; it is booked as {booked.status}."
        findings.differ(kind, key, sentence, _facts(transfer, booked), command.ask(transfer.reference))


def _agrees(transfer: Transfer, booked: BookedTransfer) -> bool:
    match transfer.status:
        case TransferStatus.SUCCESS:
            return booked.status is PayoutStatus.SUCCEEDED
        case TransferStatus.REVERSED:
            return booked.status is PayoutStatus.REVERSED
        case status if status in NOT_PAID:
            return booked.status is PayoutStatus.FAILED
        case _:
            return booked.status.is_open


def _compare_fee(transfer: Transfer, booked: BookedTransfer, findings: Findings) -> None:
    was_paid = transfer.status is TransferStatus.SUCCESS and booked.status is PayoutStatus.SUCCEEDED
    if not was_paid or transfer.fee_minor is None or transfer.fee_minor == booked.fee_minor:
        return
    key, distance = Key(TRANSFER, transfer.reference), transfer.fee_minor - booked.fee_minor
    movement = Movement.TRANSFER_FEE_CHARGED if distance > 0 else Movement.TRANSFER_FEE_RETURNED
    by_hand = command.record(movement, transfer.currency, abs(distance), key)
    findings.differ(
        DifferenceKind.FEE,
        key,
        f"Paystack's fee on the transfer is {transfer.fee_minor} and {booked.fee_minor or 'none'} is booked.",
        replace(_facts(transfer, booked), ours=booked.fee_minor, theirs=transfer.fee_minor),
        by_hand if booked.fee_minor else command.ask(transfer.reference),
    )


def _judge_unlisted(booked: BookedTransfer, window: Window, findings: Findings) -> None:
    """What was never accepted left no trace there; what waits to be sent is on its way."""
    key = Key(TRANSFER, booked.reference)
    if booked.status is PayoutStatus.REQUESTED or (booked.accepted and window.is_young(booked.at)):
        findings.wait(key)
    elif booked.accepted:
        sentence = f"A payout of {booked.amount_minor} {booked.currency} is booked that Paystack does not list."
        findings.differ(DifferenceKind.MISSING_THERE, key, sentence, _facts(None, booked))


def _name_duplicate(transfer: Transfer, booked: BookedTransfer | None, findings: Findings) -> None:
    sentence = "Paystack has a second transfer under this reference: the money may have gone out twice."
    facts = replace(_facts(transfer, booked), ours=None)
    findings.differ(DifferenceKind.DUPLICATE, duplicate_key(transfer), sentence, facts)


def _facts(transfer: Transfer | None, booked: BookedTransfer | None) -> Facts:
    return Facts(
        currency=transfer.currency if transfer else booked.currency if booked else "",
        reference=transfer.reference if transfer else booked.reference if booked else "",
        processor_id=str(transfer.processor_id or transfer.transfer_code) if transfer else None,
        transaction_id=booked.transaction_id if booked else None,
        ours=booked.amount_minor if booked else None,
        theirs=transfer.amount_minor if transfer else None,
    )
