"""Do it once: the order of questions and commands after which money has moved exactly one time.

The caller has committed its intent, with the reference or note, before it calls these, and commits the outcome after.
Both may be called again and again with the same intent, by a retry, a second worker or after a crash: what an earlier
call did is found, not repeated. Errors tell the caller what to do:

- `GatewayRefused` (and `InsufficientBalance`): the command was refused, and no earlier one is found to have succeeded;
  the intent can be closed. A question that is refused answers nothing, so it counts as `GatewayUncertain`.
- `GatewayUncertain`, `UnknownReference`, `GatewayUnavailable`: still open; call again later with the same intent.
- `OutcomeMismatched`, `RefundAmbiguous`: a person must look.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from typing import TypeVar

from gateways.errors import DuplicateReference, GatewayRefused, GatewayUncertain, RefundAmbiguous, UnknownReference
from gateways.payment import NewRefund, NewTransfer, PaymentGateway, Refund, RefundStatus, Transfer

T = TypeVar("T")


class OutcomeMismatched(GatewayUncertain):
    """The payment processor tells of another amount, currency, charge or recipient than ordered; a person must look."""

    code = "gateway_outcome_mismatched"


async def ensure_transfer(gateway: PaymentGateway, wanted: NewTransfer) -> Transfer:
    """Return the one transfer of that reference, made now or earlier, in whatever status it is.

    Even a refusal is checked: an earlier doubtful call may have succeeded, and this one been refused because of it.
    """
    try:
        return same_transfer(await gateway.initiate_transfer(wanted), wanted)
    except OutcomeMismatched:
        raise
    except (GatewayUncertain, DuplicateReference):
        return same_transfer(await answer_of(gateway.verify_transfer(wanted.reference)), wanted)
    except GatewayRefused as refusal:
        return same_transfer(await _found_or(refusal, gateway, wanted.reference), wanted)


async def ensure_refund(
    gateway: PaymentGateway, wanted: NewRefund, *, since: datetime, may_post: Callable[[], Awaitable[bool]]
) -> Refund | None:
    """Return the one refund with that note, made now or earlier; `since` is when its intent was committed.

    It looks before it posts, every time, because Paystack would refund twice. A POST that was doubtful may take a
    moment to show in the list, and whoever sent it may have died: so `may_post` is asked in between, and where it says
    no, nothing is sent and None returned. It says yes to one at a time, and only when the POST before was at least a
    minute over as the look began. Even a refusal is checked: an earlier refund that shows only now may have caused it.
    An answer about another refund raises `OutcomeMismatched`, and must not be followed by a second POST.
    """
    found = find_refund(await answer_of(gateway.list_refunds(since=since)), wanted)
    if found is not None or not await may_post():
        return found
    try:
        return same_refund(await gateway.create_refund(wanted), wanted)
    except GatewayRefused as refusal:
        found = find_refund(await answer_of(gateway.list_refunds(since=since)), wanted)
        if found is None:
            raise refusal from None
        return found


async def answer_of(question: Awaitable[T]) -> T:
    """Return what a question about money is answered; that the question is refused says nothing about the money."""
    try:
        return await question
    except GatewayRefused as refusal:
        code, status = refusal.gateway_code, refusal.http_status
        raise GatewayUncertain(refusal.detail, gateway_code=code, http_status=status) from None


def find_refund(refunds: Iterable[Refund], wanted: NewRefund) -> Refund | None:
    """Return the refund that an earlier, doubtful POST of `wanted` made, or None if it made none.

    Ours is the one of this charge that bears our note. A refund of the same charge and amount without any note may be
    ours too: that raises `RefundAmbiguous`. One that names no charge may be of this one.
    """
    same = [refund for refund in refunds if refund.charge_reference in (wanted.charge_reference, None)]
    ours = next((refund for refund in same if refund.merchant_note == wanted.merchant_note), None)
    if ours is None and any(_could_be(refund, wanted) for refund in same):
        raise RefundAmbiguous
    return None if ours is None else same_refund(ours, wanted)


def find_another(refunds: Iterable[Refund], failed: NewRefund, known: Collection[int | str | None]) -> Refund | None:
    """Return the refund that was made instead of one that failed, under its note; None where there is none.

    One of the same charge and amount under any other note may be it, too: that raises `RefundAmbiguous`, unless its
    number or note is `known` for that of another.
    """
    same = [one for one in refunds if one.charge_reference in (failed.charge_reference, None) and _may_pay(one, failed)]
    new = [one for one in same if one.processor_id not in known and one.merchant_note not in known]
    ours = next((one for one in new if one.merchant_note == failed.merchant_note), None)
    if ours is None and new:
        raise RefundAmbiguous
    return ours


async def _found_or(refusal: GatewayRefused, gateway: PaymentGateway, reference: str) -> Transfer:
    try:
        return await answer_of(gateway.verify_transfer(reference))
    except UnknownReference:
        raise refusal from None


def same_transfer(found: Transfer, wanted: NewTransfer) -> Transfer:
    """Return a transfer that is the one wanted, else raise `OutcomeMismatched`; its recipient may be left out."""
    amount = (found.amount_minor, found.currency) == (wanted.amount.amount_minor, wanted.amount.currency)
    if not amount or found.recipient_code not in (None, wanted.recipient_code):
        raise OutcomeMismatched(f"transfer {found.transfer_code}")
    return found


def same_refund(found: Refund, wanted: NewRefund) -> Refund:
    """Return a refund that is the one wanted, else raise `OutcomeMismatched`; its charge and note may be left out."""
    amount = (found.amount_minor, found.currency) == (wanted.amount.amount_minor, wanted.amount.currency)
    charge = found.charge_reference in (None, wanted.charge_reference)
    if not (amount and charge and found.merchant_note in (None, wanted.merchant_note)):
        raise OutcomeMismatched(f"refund {found.processor_id}")
    return found


def _may_pay(refund: Refund, wanted: NewRefund) -> bool:
    """One that failed pays nobody, and one that a chargeback made is none of ours."""
    is_made = refund.status is not RefundStatus.FAILED and refund.dispute_id is None
    amount = (refund.amount_minor, refund.currency) == (wanted.amount.amount_minor, wanted.amount.currency)
    return is_made and amount


def _could_be(refund: Refund, wanted: NewRefund) -> bool:
    """A refund that a chargeback made is none of ours."""
    by_us = refund.dispute_id is None
    return by_us and refund.merchant_note is None and refund.amount_minor == wanted.amount.amount_minor
