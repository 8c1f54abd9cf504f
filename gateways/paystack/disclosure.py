"""Showing a delivery to a person: what is known to be harmless in clear, everything else masked.

A list of what may be shown, not of what may not: the processor adds fields without notice, and names, addresses,
account numbers and authorization codes turn up in new places.
"""

import re
from collections.abc import Sequence
from typing import cast

from gateways.payment import JsonObject
from gateways.paystack.payload import NotJson, decode

MASK = "…"
SHOWN = frozenset(
    """
    amount category channel created_at createdAt currency deducted_amount domain dueAt due_at event fee_charged fees
    fully_deducted gateway_response id paid_at paidAt reference refund_amount refund_reference requested_amount
    resolution resolvedAt resolved_at source status transaction_date transaction_reference transfer_code transferred_at
    updated_at updatedAt
    """.split()  # noqa: SIM905 - a table of words
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
CONTAINERS_NOT_ENTERED = frozenset({"metadata", "log", "history", "messages"})


def disclose(raw: bytes) -> object:
    """Return the body with every value masked whose name is not known to be harmless; None when it is no JSON."""
    try:
        return _disclose(decode(raw), is_shown=False)
    except (NotJson, RecursionError):
        return None


def _disclose(value: object, *, is_shown: bool) -> object:
    match value:
        case dict():
            fields = ((str(name), inner) for name, inner in cast("JsonObject", value).items())
            return {_disclose_name(name): _disclose_field(name, inner) for name, inner in fields}
        case list():
            return [_disclose(inner, is_shown=is_shown) for inner in cast("Sequence[object]", value)]
        case None | bool():
            return value
        case _:
            return value if is_shown else MASK


def _disclose_name(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else MASK


def _disclose_field(name: str, value: object) -> object:
    if name in CONTAINERS_NOT_ENTERED:
        return None if value is None else MASK
    return _disclose(value, is_shown=name in SHOWN)
