"""The last control before money leaves: the processor asks whether we ordered a transfer, and the log answers.

Whoever has stolen the key can order transfers, but not write the log: what it does not know is refused. The question
is answered from the log itself, because the tables may be a moment behind an order that was given just now. Every
transfer of ours names its transaction in its reason.
"""

from domain.errors import EscrowError
from eventstore.escrow import Escrow
from gateways.payment import JsonObject
from gateways.paystack.payload import child, integer, is_list, is_object, text
from gateways.paystack.webhook import parse_envelope
from reactions.naming import read_reason
from reactions.toolbox import find_readable

EVENT = "transferrequest.approval-required"


class TransferNotOrdered(EscrowError):
    """The log has no open payout with this reference, amount, currency and recipient: the transfer must not be paid."""

    code = "transfer_not_ordered"
    status = 400


async def check_ordered(escrow: Escrow, raw: bytes) -> None:
    """Return if every transfer that is asked about is to be paid; raise `TransferNotOrdered` for all else.

    One that stands twice in the question is not. The signature has been checked before.
    """
    envelope = parse_envelope(raw)
    asked = envelope.data.get("transfers")
    if envelope.event != EVENT or not is_list(asked) or not asked:
        raise TransferNotOrdered
    seen: set[str | None] = set()
    for transfer in asked:
        reference = text(transfer, "reference") if is_object(transfer) else None
        if not is_object(transfer) or reference in seen or not await _is_ordered(escrow, transfer):
            raise TransferNotOrdered
        seen.add(reference)


async def _is_ordered(escrow: Escrow, transfer: JsonObject) -> bool:
    named = read_reason(text(transfer, "reason"))
    transaction = None if named is None else await find_readable(escrow, named)
    payout = None if transaction is None else transaction.payouts.get(text(transfer, "reference") or "")
    if transaction is None or payout is None or not payout.status.is_open or transaction.is_held_up(payout):
        return False
    recipient = text(child(transfer, "recipient"), "recipient_code") or text(transfer, "recipient")
    asked = (integer(transfer, "amount"), (text(transfer, "currency") or "").upper(), recipient)
    return asked == (
        payout.amount_minor,
        transaction.price.currency.value,
        payout.recipient,
    )
