"""A refund that is on its way while a chargeback takes the same money: the buyer may come to have it twice.

The chargeback is booked as if he had, and takes from others what the refund gives back as well. When the refund comes
to nothing, or the transfer in its place does, what it leaves is the chargeback's: the others have theirs back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from domain.journal import Account, Posting, Postings, credit, debit, journal
from domain.transaction.chargeback_answer import ChargebackAnswerTrack
from domain.transaction.event import TransactionMoneyEvent
from domain.transaction.phase import FAILED
from domain.transaction.records import Payout, PayoutStatus, Refund
from domain.transaction.refund import RefundReport
from domain.transaction.state import TransactionState

AFTER_RELEASE = (
    Account.SELLER_PAYABLE,
    Account.SELLER_RESERVE,
    Account.PLATFORM_FEE,
    Account.TAX_PAYABLE,
)
"""Where a chargeback takes what was neither held nor unsent, in this order; then from the seller, the rest is lost."""
CHARGED_BACK = "charged_back"
"""Why what was to pay a refund was not sent: the payer's bank has taken the money."""
OTHERS = (*AFTER_RELEASE, Account.SELLER_RECEIVABLE, Account.LOSSES)


class ChargebackRefundFailed(TransactionMoneyEvent):
    """A refund that was on its way when a chargeback took the same money has failed, or the transfer in its place has.

    The buyer has `amount_minor` of it from his bank: it goes to those from whom the chargeback took it meanwhile.
    """

    TOPIC = "transaction.chargeback_refund_failed.v1"
    reference: str
    processor_dispute_id: str
    amount_minor: int

    def change(self, transaction: TransactionState) -> None:
        """It is as if the refund had not been sent when the chargeback came."""
        super().change(transaction)
        refund = transaction.refunds[self.reference]
        if refund.is_of_price:
            transaction.charged_back_refunds_minor += self.amount_minor
            transaction.contested_from.subtract(dict(_latest(transaction.contested_from, self.amount_minor)))
        is_all = self.amount_minor == refund.amount_minor
        paid_by = self.processor_dispute_id if is_all else None
        taken = refund.taken_minor + self.amount_minor
        transaction.update_refund(self.reference, contested_minor=0, taken_minor=taken, paid_by=paid_by)


def contest(transaction: TransactionState, number: str, refunds: Iterable[Refund], taken: Postings) -> Counter[Account]:
    """Fold that a chargeback took from others what these refunds, as far as they are on their way, give back as well.

    Returns how much of that it took from whom.
    """
    beside = Counter({line.account: line.amount_minor for line in taken if line.account in OTHERS})
    rest = beside.total()
    for refund in tuple(refunds):
        amount = min(rest, refund.amount_minor - refund.contested_minor)
        if amount > 0 and _is_on_its_way(transaction, refund):
            contested = refund.contested_minor + amount
            transaction.update_refund(refund.reference, contested_by=number, contested_minor=contested)
            rest -= amount
    return Counter(dict(_latest(beside, beside.total() - rest)))


def _is_on_its_way(transaction: TransactionState, refund: Refund) -> bool:
    """True of what may still be paid, or has been by a transfer that may come back."""
    transfer = transaction.payouts.get(refund.paid_by or "")
    return refund.status.is_open or (transfer is not None and transfer.status not in FAILED)


def _latest(taken: Counter[Account], amount_minor: int) -> Iterator[tuple[Account, int]]:
    """Yield from where an amount was taken, when what was taken last is given back first."""
    for account in reversed(OTHERS):
        given = min(amount_minor, taken[account])
        yield account, given
        amount_minor -= given


class ContestedTrack(ChargebackAnswerTrack):
    """Giving back what chargebacks took in the place of refunds that came to nothing."""

    def apply_refund(self, report: RefundReport) -> None:
        """Apply it as `RefundTrack` does; what failed beside a chargeback is not owed again."""
        super().apply_refund(report)
        if any(refund.is_contested and refund.is_owed for refund in self.refunds.values()):
            self.recover_from_payable()

    def recover_from_payable(self) -> None:
        """What is owed again settles first what a chargeback took in its place, then the seller's debt."""
        for refund in tuple(self.refunds.values()):
            amount = min(refund.contested_minor, self.owed_of(refund)) if refund.is_owed else 0
            if amount > 0:
                self._give_back(refund, amount)
        super().recover_from_payable()

    def _give_back(self, refund: Refund, amount_minor: int) -> None:
        lines = self._lines_back(amount_minor) if refund.is_of_price else [credit(Account.LOSSES, amount_minor)]
        self.record(
            ChargebackRefundFailed,
            reference=refund.reference,
            processor_dispute_id=refund.contested_by,
            amount_minor=amount_minor,
            currency=refund.currency,
            postings=journal(debit(Account.REFUND_DUE, amount_minor), *lines),
        )

    def _lines_back(self, amount_minor: int) -> Iterator[Posting]:
        """The seller gets back what he has paid of it meanwhile, and we what we have written off."""
        for account, given in _latest(self.contested_from, amount_minor):
            if account is Account.SELLER_RECEIVABLE:
                of_debt = min(given, self.receivable_minor)
                written_off = min(given - of_debt, self.written_off_minor)
                yield credit(account, of_debt, str(self.seller_id))
                yield credit(Account.LOSSES, written_off)
                yield credit(Account.SELLER_PAYABLE, given - of_debt - written_off)
            elif account is Account.SELLER_RESERVE and self.reserve_due_at is None:
                yield credit(Account.SELLER_PAYABLE, given)
            else:
                yield credit(account, given)

    def is_charged_back(self, payout: Payout) -> bool:
        """True of a transfer that pays what the payer's bank has taken: what is not sent is not sent any more."""
        return any(refund.is_contested and refund.paid_by == payout.reference for refund in self.refunds.values())

    def is_held_up(self, payout: Payout) -> bool:
        """True of a transfer that is not to be sent: an open dispute freezes it, a lost one has taken its money, or a
        refund has paid it.
        """
        is_over = self.is_charged_back(payout) or self.is_refunded_instead(payout)
        return is_over or self.is_frozen(payout.purpose)

    def end_unsent_transfers(self, refunds: Iterable[Refund]) -> list[Payout]:
        """What transfers were to pay of refunds that failed is gone, before they were sent: return those that end so.

        What they pay besides is owed again. Should one have been sent unheard, the next report of it says so.
        """
        paid_by = {refund.paid_by for refund in refunds}
        unsent = [payout for payout in self.payouts.values() if payout.status is PayoutStatus.REQUESTED]
        ended = [payout for payout in unsent if payout.reference in paid_by]
        for payout in ended:
            self.end_unsent(payout, CHARGED_BACK)
        return ended
