"""What waits because the processor's balance is too low: people must top it up, and the reason says by how much."""

from domain.money import Currency
from domain.transaction.event import TransactionEvent
from domain.transaction.state import TransactionState


class PayoutWaitsForBalance(TransactionEvent):
    """The processor's balance does not cover the transfer and its fee: it is sent as soon as somebody has topped it up.

    A remark: nothing that staff decide about has changed, so what waits for a second pair of eyes is not void.
    """

    TOPIC = "transaction.payout_waits_for_balance.v1"
    IS_REMARK = True
    reference: str
    amount_minor: int
    currency: Currency

    def change(self, transaction: TransactionState) -> None:
        """It waits until the processor says anything else about it."""
        transaction.update_payout(self.reference, waits_for_balance=True)


class RefundWaitsForBalance(TransactionEvent):
    """The processor's balance does not cover the refund: it is sent as soon as somebody has topped it up.

    A remark: nothing that staff decide about has changed, so what waits for a second pair of eyes is not void.
    """

    TOPIC = "transaction.refund_waits_for_balance.v1"
    IS_REMARK = True
    reference: str
    amount_minor: int
    currency: Currency

    def change(self, transaction: TransactionState) -> None:
        """It waits until the processor says anything else about it."""
        transaction.update_refund(self.reference, waits_for_balance=True)
