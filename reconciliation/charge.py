"""Charges: what buyers paid, matched by Paystack's id, else by our reference."""

from collections import Counter
from dataclasses import dataclass, replace
from uuid import UUID

from domain.journal import Account
from domain.money import Currency
from domain.reconciliation import DifferenceKind
from domain.transaction.records import RefundStatus
from domain.treasury import Movement
from gateways.payment import Charge, ChargeStatus
from gateways.payment import RefundStatus as Reported
from reconciliation import command
from reconciliation.books import Books
from reconciliation.finding import Facts, Findings, Window
from reconciliation.key import CHARGE, Key
from reconciliation.records import BookedCharge, Records

TAKEN_BACK = frozenset({ChargeStatus.REVERSAL_PENDING, ChargeStatus.REVERSED})
PAID = TAKEN_BACK | {ChargeStatus.SUCCESS}
NOT_RETURNED = frozenset({RefundStatus.FAILED, RefundStatus.CANCELLED})


@dataclass(frozen=True)
class Returned:
    """What went back of each charge, by its reference: as booked here, and as Paystack lists it."""

    here: Counter[str]
    there: Counter[str]


def match_charges(books: Books, records: Records, window: Window, findings: Findings) -> None:
    """Hold every paid charge against what was booked, and every booked one against the list."""
    listed = {str(charge.processor_id): charge for charge in books.charges}
    by_reference = {booked.reference: booked for booked in records.charges.values()}
    taken, returned = set[str](), sum_returned(books, records)
    for charge in books.charges:
        booked = records.charges.get(str(charge.processor_id)) or by_reference.get(charge.reference)
        if booked is not None and str(charge.processor_id) != booked.processor_id and booked.processor_id in listed:
            _name_duplicate(charge, booked, window, findings)
        elif charge.status in PAID:
            _count(charge, booked, findings)
            _judge(charge, booked, returned, window, findings, is_ours=charge.reference in records.pages)
            taken.add(booked.processor_id if booked else "")
        elif booked is not None:
            _name_unpaid(charge, booked, window, findings)
            taken.add(booked.processor_id)
    for booked in records.charges.values():
        if booked.processor_id not in taken and not window.is_before(booked.at):
            _name_missing_there(booked, window, findings)


def _key(charge: Charge, booked: BookedCharge | None) -> Key:
    return Key(CHARGE, booked.processor_id if booked else str(charge.processor_id))


def _count(charge: Charge, booked: BookedCharge | None, findings: Findings) -> None:
    # A fee that the list does not name is the one that was booked: only its absence on both sides is an open question.
    fee = charge.fee_minor if charge.fee_minor is not None else (booked.fee_minor or 0) if booked else 0
    findings.count(_key(charge, booked), Account.UNCLEARED, charge.currency, charge.amount_minor - fee)


def _judge(
    charge: Charge,
    booked: BookedCharge | None,
    returned: Returned,
    window: Window,
    findings: Findings,
    *,
    is_ours: bool,
) -> None:
    key = _key(charge, booked)
    if window.is_before(charge.paid_at or charge.created_at, booked.at if booked else charge.paid_at):
        return
    if booked is None:
        if window.is_young(charge.paid_at, charge.created_at):
            findings.wait(key)
        else:
            _name_missing_here(charge, findings, is_ours=is_ours)
        return
    findings.compare_amounts(key, _facts(charge, booked), booked.currency, "charged")
    _compare_fee(charge, booked, window, findings)
    if charge.status in TAKEN_BACK:
        _explain_reversal(charge, booked, returned, findings)
    findings.match(key)


def _compare_fee(charge: Charge, booked: BookedCharge, window: Window, findings: Findings) -> None:
    key, is_assessed = Key(CHARGE, booked.processor_id), booked.fee_minor is not None
    if charge.fee_minor is None or charge.fee_minor == (booked.fee_minor or 0):
        return
    if not is_assessed and window.is_young(charge.paid_at, booked.at):
        findings.wait(key)
        return
    distance = charge.fee_minor - (booked.fee_minor or 0)
    movement = Movement.CHARGE_FEE_CHARGED if distance > 0 else Movement.CHARGE_FEE_CREDITED
    by_hand = command.record(movement, charge.currency, abs(distance), key)
    findings.differ(
        DifferenceKind.FEE,
        key,
        f"Paystack's fee on the charge is {charge.fee_minor} and {booked.fee_minor or 'none'} is booked.",
        replace(_facts(charge, booked), ours=booked.fee_minor, theirs=charge.fee_minor),
        by_hand if is_assessed else command.ask(charge.reference),
    )


def sum_returned(books: Books, records: Records) -> Returned:
    """Add up refunds and chargebacks; a lost chargeback is counted for every charge of its transaction."""
    here, there, lost = Counter[str](), Counter[str](), Counter[UUID]()
    for refund in records.refunds.values():
        if refund.status not in NOT_RETURNED:
            here[refund.charge_reference] += refund.amount_minor
    for dispute in records.disputes.values():
        lost[dispute.transaction_id] += dispute.amount_minor
    for booked in records.charges.values():
        here[booked.reference] += lost[booked.transaction_id]
    names = {charge.processor_id: charge.reference for charge in books.charges}
    for refund in books.refunds:
        if refund.status is not Reported.FAILED:
            there[refund.charge_reference or names.get(refund.charge_id or 0, "")] += refund.amount_minor
    return Returned(here, there)


def _explain_reversal(charge: Charge, booked: BookedCharge, returned: Returned, findings: Findings) -> None:
    """A charge is reversed when all of it went back: by refunds, ours or listed as theirs, or by chargebacks."""
    here, there = returned.here[booked.reference], returned.there[charge.reference]
    if max(here, there) < booked.amount_minor:
        findings.differ(
            DifferenceKind.REVERSED,
            Key(CHARGE, booked.processor_id),
            f"Paystack has taken the charge back ({charge.status}); only {here} went back here.",
            _facts(charge, booked),
            command.ask(charge.reference),
        )


def _name_missing_here(charge: Charge, findings: Findings, *, is_ours: bool) -> None:
    key = Key(CHARGE, str(charge.processor_id))
    findings.differ(
        DifferenceKind.MISSING_HERE,
        key,
        f"Paystack has received {charge.amount_minor} {charge.currency} that no transaction has.",
        _facts(charge, None),
        _take_in(charge, is_ours=is_ours),
    )


def _take_in(charge: Charge, *, is_ours: bool) -> str:
    """Money in a currency that Paystack has never charged in before is for a person to look at."""
    if charge.currency not in set(Currency):
        return command.show_entries(Account.UNCLEARED, charge.currency)
    return command.ask(charge.reference) if is_ours else _set_aside(charge)


def _name_missing_there(booked: BookedCharge, window: Window, findings: Findings) -> None:
    key = Key(CHARGE, booked.processor_id)
    if window.is_young(booked.at):
        findings.wait(key)
        return
    sentence = f"A payment of {booked.amount_minor} {booked.currency} is booked that Paystack does not list."
    findings.differ(DifferenceKind.MISSING_THERE, key, sentence, _facts(None, booked))


def _name_unpaid(charge: Charge, booked: BookedCharge, window: Window, findings: Findings) -> None:
    key = Key(CHARGE, booked.processor_id)
    if window.is_young(booked.at):
        findings.wait(key)
        return
    sentence = f"Paystack says the charge is {charge.status}; it is booked as paid."
    findings.differ(DifferenceKind.STATUS, key, sentence, _facts(charge, booked))


def _name_duplicate(charge: Charge, booked: BookedCharge, window: Window, findings: Findings) -> None:
    if charge.status not in PAID:
        return
    key = Key(CHARGE, str(charge.processor_id))
    _count(charge, None, findings)
    if window.is_young(charge.paid_at, charge.created_at):
        findings.wait(key)
        return
    sentence = f"Paystack charged a second time under the reference of charge {booked.processor_id}."
    findings.differ(DifferenceKind.DUPLICATE, key, sentence, _facts(charge, None), _set_aside(charge))


def _set_aside(charge: Charge) -> str:
    key, currency = Key(CHARGE, str(charge.processor_id)), charge.currency
    commands = [command.record(Movement.UNKNOWN_RECEIPT, currency, charge.amount_minor, key)]
    if charge.fee_minor:
        commands.append(command.record(Movement.CHARGE_FEE_CHARGED, currency, charge.fee_minor, key))
    return command.AND.join(commands)


def _facts(charge: Charge | None, booked: BookedCharge | None) -> Facts:
    return Facts(
        currency=charge.currency if charge else booked.currency if booked else "",
        reference=charge.reference if charge else booked.reference if booked else "",
        processor_id=str(charge.processor_id) if charge else booked.processor_id if booked else None,
        transaction_id=booked.transaction_id if booked else None,
        ours=booked.amount_minor if booked else None,
        theirs=charge.amount_minor if charge else None,
    )
