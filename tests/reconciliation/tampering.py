"""Differences that are planted in what the processor answers."""

import dataclasses
from collections.abc import Callable
from typing import Any

from domain.reconciliation import DifferenceKind as Kind
from gateways.payment import ChargeStatus, TransferStatus

change = dataclasses.replace
Change = Callable[[tuple[Any, ...]], tuple[Any, ...]]


def first(fits: Callable[[Any], bool], **changes: Any) -> Change:
    """Change the first line that fits."""

    def apply(lines: tuple[Any, ...]) -> tuple[Any, ...]:
        chosen = next(line for line in lines if fits(line))
        return tuple(change(line, **changes) if line is chosen else line for line in lines)

    return apply


def without_first(fits: Callable[[Any], bool]) -> Change:
    """Leave out the first line that fits."""

    def apply(lines: tuple[Any, ...]) -> tuple[Any, ...]:
        chosen = next(line for line in lines if fits(line))
        return tuple(line for line in lines if line is not chosen)

    return apply


def with_another(fits: Callable[[Any], bool], **changes: Any) -> Change:
    """Add a line that is like the first that fits."""

    def apply(lines: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*lines, change(next(line for line in lines if fits(line)), **changes))

    return apply


def kept(charge: Any) -> bool:
    return charge.status is ChargeStatus.SUCCESS


def paid(transfer: Any) -> bool:
    return transfer.status is TransferStatus.SUCCESS


def sent(line: Any) -> bool:
    return line.difference_minor == -90_000


def always(line: Any) -> bool:
    del line
    return True


PLANTED: list[tuple[Kind, str, Change]] = [
    (Kind.MISSING_HERE, "list_charges", with_another(kept, processor_id=99_001, reference="shop-1")),
    (Kind.MISSING_HERE, "list_transfers", with_another(paid, processor_id=99_002, reference="po-by-hand-in-dashboard")),
    (Kind.MISSING_HERE, "list_refunds", with_another(always, processor_id=99_003, merchant_note="by hand")),
    (Kind.MISSING_HERE, "list_balance_entries", with_another(sent, processor_id=99_004, cause_id=99_004)),
    (Kind.MISSING_THERE, "list_charges", without_first(kept)),
    (Kind.MISSING_THERE, "list_refunds", without_first(always)),
    (Kind.AMOUNT, "list_charges", first(kept, amount_minor=1)),
    (Kind.AMOUNT, "list_transfers", first(paid, amount_minor=1)),
    (Kind.AMOUNT, "list_refunds", first(always, amount_minor=1)),
    (Kind.AMOUNT, "list_balance_entries", first(sent, difference_minor=-9)),
    (Kind.CURRENCY, "list_charges", first(kept, currency="NGN")),
    (Kind.CURRENCY, "list_transfers", first(paid, currency="NGN")),
    (Kind.STATUS, "list_charges", first(kept, status=ChargeStatus.FAILED)),
    (Kind.STATUS, "list_transfers", first(paid, status=TransferStatus.FAILED)),
    (Kind.DUPLICATE, "list_charges", with_another(kept, processor_id=99_005)),
    (Kind.DUPLICATE, "list_transfers", with_another(paid, processor_id=99_006, transfer_code="TRF_x")),
    (Kind.DUPLICATE, "list_refunds", with_another(always, processor_id=99_007)),
    (
        Kind.DUPLICATE,
        "list_balance_entries",
        with_another(sent, processor_id=99_008),
    ),
    (Kind.FEE, "list_charges", first(kept, fee_minor=1)),
    (Kind.FEE, "list_transfers", first(paid, fee_minor=1)),
    (Kind.REVERSED, "list_charges", first(kept, status=ChargeStatus.REVERSED)),
    (Kind.REVERSED, "list_transfers", first(paid, status=TransferStatus.REVERSED)),
]
