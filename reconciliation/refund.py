"""Refunds: matched by Paystack's id, else by our reference in the merchant's note; a chargeback's by its dispute."""

from domain.reconciliation import DifferenceKind
from domain.transaction.records import RefundStatus
from gateways.payment import Refund
from gateways.payment import RefundStatus as Reported
from reconciliation import command
from reconciliation.books import Books
from reconciliation.finding import Facts, Findings, Window
from reconciliation.key import DISPUTE, REFUND, Key
from reconciliation.records import BookedRefund, Records


def match_refunds(books: Books, records: Records, window: Window, findings: Findings) -> None:
    """Hold every refund against what was ordered, and every accepted order against the list."""
    by_id = {booked.processor_id: booked for booked in records.refunds.values() if booked.processor_id}
    listed = {str(refund.processor_id) for refund in books.refunds}
    taken: set[str] = set()
    for refund in books.refunds:
        if refund.dispute_id is not None:
            _judge_chargeback(refund, records, window, findings)
            continue
        booked = by_id.get(str(refund.processor_id)) or records.refunds.get(refund.merchant_note or "")
        is_second = booked is not None and (booked.reference in taken or _is_of_another(booked, refund, listed))
        _judge(refund, booked, window, findings, is_second=is_second)
        if booked is not None and not is_second:
            taken.add(booked.reference)
    for booked in records.refunds.values():
        if booked.reference not in taken and not window.is_before(booked.at):
            _judge_unlisted(booked, window, findings)


def _is_of_another(booked: BookedRefund, refund: Refund, listed: set[str]) -> bool:
    return booked.processor_id != str(refund.processor_id) and booked.processor_id in listed


def key_of(refund: Refund) -> Key:
    """Return the name of a refund; one that a chargeback made is the dispute's."""
    if refund.dispute_id is not None:
        return Key(DISPUTE, str(refund.dispute_id))
    return Key(REFUND, str(refund.processor_id))


def _judge(refund: Refund, booked: BookedRefund | None, window: Window, findings: Findings, *, is_second: bool) -> None:
    key, moments = key_of(refund), (refund.created_at, refund.refunded_at, booked.at if booked else None)
    if window.is_before(*(moment for moment in moments if moment is not None)):
        return
    is_young = window.is_young(*moments)
    if booked is None or is_second:
        _judge_strange(refund, findings, is_young=is_young, is_second=is_second)
        return
    findings.compare_amounts(key, _facts(refund, booked), booked.currency, "refunds")
    _compare_status(refund, booked, findings, is_young=is_young)
    findings.match(key)


def _judge_strange(refund: Refund, findings: Findings, *, is_young: bool, is_second: bool) -> None:
    key, facts = key_of(refund), _facts(refund, None)
    if is_young:
        findings.wait(key)
    elif is_second:
        sentence = "Paystack has a second refund with the same note: the buyer may get the money twice."
        findings.differ(DifferenceKind.DUPLICATE, key, sentence, facts)
    elif refund.status is not Reported.FAILED:
        sentence = f"Paystack has a refund of {refund.amount_minor} {refund.currency} that no transaction ordered."
        findings.differ(DifferenceKind.MISSING_HERE, key, sentence, facts)


def _compare_status(refund: Refund, booked: BookedRefund, findings: Findings, *, is_young: bool) -> None:
    key = key_of(refund)
    if _agrees(refund, booked):
        if booked.status.is_open:
            findings.wait(key)
    elif is_young:
        findings.wait(key)
    else:
        sentence = f"Paystack says the refund is {refund.status}; it is booked as {booked.status}."
        facts = _facts(refund, booked)
        findings.differ(DifferenceKind.STATUS, key, sentence, facts, command.ask(booked.reference))


def _agrees(refund: Refund, booked: BookedRefund) -> bool:
    match refund.status:
        case Reported.PROCESSED:
            return booked.status is RefundStatus.PROCESSED
        case Reported.FAILED:
            return booked.status in {RefundStatus.FAILED, RefundStatus.CANCELLED}
        case _:
            return booked.status.is_open


def _judge_unlisted(booked: BookedRefund, window: Window, findings: Findings) -> None:
    """What was never accepted left no trace there."""
    key = Key(REFUND, booked.processor_id or booked.reference)
    if booked.processor_id is not None and window.is_young(booked.at):
        findings.wait(key)
    elif booked.processor_id is not None:
        sentence = f"A refund of {booked.amount_minor} {booked.currency} is booked that Paystack does not list."
        findings.differ(DifferenceKind.MISSING_THERE, key, sentence, _facts(None, booked))
    elif booked.status.is_open:
        findings.wait(key)


def _judge_chargeback(refund: Refund, records: Records, window: Window, findings: Findings) -> None:
    key, number = key_of(refund), str(refund.dispute_id)
    booked = records.disputes.get(number)
    facts = Facts(
        currency=refund.currency,
        reference=refund.charge_reference or "",
        processor_id=number,
        transaction_id=booked.transaction_id if booked else records.foreign_disputes.get(number),
        ours=booked.amount_minor if booked else None,
        theirs=refund.amount_minor,
    )
    if window.is_before(refund.created_at, booked.at if booked else refund.created_at):
        return
    if booked is None and window.is_young(refund.created_at, refund.refunded_at):
        findings.wait(key)
    elif booked is None:
        _name_unbooked_chargeback(key, facts, findings, is_foreign=number in records.foreign_disputes)
    elif (refund.currency, refund.amount_minor) != (booked.currency, booked.amount_minor):
        kind = DifferenceKind.AMOUNT if refund.currency == booked.currency else DifferenceKind.CURRENCY
        sentence = f"Paystack took back {refund.amount_minor} {refund.currency}; {booked.amount_minor} is booked."
        findings.differ(kind, key, sentence, facts)
    findings.match(key)


def _name_unbooked_chargeback(key: Key, facts: Facts, findings: Findings, *, is_foreign: bool) -> None:
    """What is not the price's money is known already: asking again would change nothing, a person books it."""
    if is_foreign:
        taken = f"{facts.theirs} {facts.currency}"
        sentence = f"Paystack took back {taken} of a payment in another currency than the price's; it is not booked."
        findings.differ(DifferenceKind.MISSING_HERE, key, sentence, facts)
    else:
        sentence = "Paystack has paid a chargeback that is not booked."
        findings.differ(DifferenceKind.MISSING_HERE, key, sentence, facts, command.ask(facts.reference))


def _facts(refund: Refund | None, booked: BookedRefund | None) -> Facts:
    ours_id = booked.processor_id if booked else None
    return Facts(
        currency=refund.currency if refund else booked.currency if booked else "",
        reference=booked.reference if booked else (refund.charge_reference or "") if refund else "",
        processor_id=str(refund.processor_id) if refund else ours_id,
        transaction_id=booked.transaction_id if booked else None,
        ours=booked.amount_minor if booked else None,
        theirs=refund.amount_minor if refund else None,
    )
