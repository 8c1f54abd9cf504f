"""What the seller owes back after a late refund or chargeback: recovered in cash or from his money, or written off."""

from enum import StrEnum
from uuid import UUID

from domain.actor import Role
from domain.errors import Refused
from domain.journal import Account, credit, debit, journal
from domain.money import AmountNotPositive
from domain.reason import require_reason
from domain.transaction.event import TransactionMoneyEvent
from domain.transaction.inspection import InspectionTrack
from domain.transaction.note import NoteAdded
from domain.transaction.records import PayoutPurpose
from domain.transaction.state import TransactionState


class NothingOwed(Refused):
    """The seller does not owe that much on this transaction."""

    code = "nothing_owed"


class NothingToWithhold(Refused):
    """The seller is owed nothing here that could be kept from him, or owes nothing on that other sale of his."""

    code = "nothing_to_withhold"


class RecoveredFrom(StrEnum):
    """Where recovered money came from."""

    CASH = "cash"
    PAYABLE = "payable"


class ClawbackRecoveredWithoutReason(TransactionMoneyEvent):
    """The same as `transaction.clawback_recovered.v2`, as it was before: without the reason of who recorded it."""

    TOPIC = "transaction.clawback_recovered.v1"
    amount_minor: int
    source: RecoveredFrom

    def change(self, transaction: TransactionState) -> None:
        """What he has paid back he does not have any more."""
        super().change(transaction)
        if self.source is RecoveredFrom.CASH:
            transaction.recovered_in_cash_minor += self.amount_minor


class ClawbackRecovered(ClawbackRecoveredWithoutReason):
    """The seller paid back, for which there is a reason to believe so, or his own money here was taken for it."""

    TOPIC = "transaction.clawback_recovered.v2"
    reason: str | None


class PayableWithheld(TransactionMoneyEvent):
    """What the seller was owed here paid what he owes on another sale of his, instead of being paid out."""

    TOPIC = "transaction.payable_withheld.v1"
    amount_minor: int
    owing_transaction_id: UUID

    def change(self, transaction: TransactionState) -> None:
        """It is as if he had been paid."""
        super().change(transaction)
        transaction.withheld_minor += self.amount_minor


class DebtRecovered(TransactionMoneyEvent):
    """Another sale of the seller paid what he owes on this one; `PayableWithheld` there is in the same append."""

    TOPIC = "transaction.debt_recovered.v1"
    amount_minor: int
    paying_transaction_id: UUID

    def change(self, transaction: TransactionState) -> None:
        """It is as if he had paid it back in cash."""
        super().change(transaction)
        transaction.recovered_elsewhere_minor += self.amount_minor


class LossWrittenOff(TransactionMoneyEvent):
    """The platform gave up what the seller owes."""

    TOPIC = "transaction.loss_written_off.v1"
    amount_minor: int
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """Should it turn out that he did not owe it, it is not his."""
        super().change(transaction)
        transaction.written_off_minor += self.amount_minor


class ClawbackTrack(InspectionTrack):
    """Recovering and writing off the seller's debt."""

    @property
    def receivable_minor(self) -> int:
        """What the seller owes on this transaction, in minor units."""
        return max(0, self.balances[Account.SELLER_RECEIVABLE])

    def recover_from_payable(self) -> None:
        """Money that came back to the seller's account here settles first what he owes."""
        amount = min(self.receivable_minor, self.owed(Account.SELLER_PAYABLE))
        if amount > 0:
            self._record_recovery(amount, Account.SELLER_PAYABLE, RecoveredFrom.PAYABLE, None)

    def release_reserve(self) -> None:
        """The reserve becomes his as `SettlementTrack` has it, and settles first what he owes here."""
        super().release_reserve()
        self.recover_from_payable()

    def withhold_for(self, owing: "ClawbackTrack") -> None:
        """What is payable to the seller here settles first what he owes on `owing`, another sale of his.

        Both are changed and are to be appended together. Raises `NothingToWithhold`, and `DisputeOpen` while a dispute
        freezes what is payable.
        """
        self.require_system()
        self.require_no_dispute()
        amount = min(self.payable_minor(PayoutPurpose.SELLER), owing.receivable_minor)
        is_his = owing.id != self.id and owing.seller_id == self.seller_id
        if amount <= 0 or not is_his or owing.price.currency is not self.price.currency:
            raise NothingToWithhold
        seller = str(self.seller_id)
        self.record(
            PayableWithheld,
            amount_minor=amount,
            owing_transaction_id=owing.id,
            currency=self.price.currency,
            postings=journal(debit(Account.SELLER_PAYABLE, amount), credit(Account.RECOVERIES, amount, seller)),
        )
        owing.record(
            DebtRecovered,
            amount_minor=amount,
            paying_transaction_id=self.id,
            currency=owing.price.currency,
            postings=journal(
                debit(Account.RECOVERIES, amount, seller), credit(Account.SELLER_RECEIVABLE, amount, seller)
            ),
        )

    def recover_in_cash(self, amount_minor: int, reason: str) -> None:
        """Staff record that the seller paid `amount_minor` into the processor's balance, and how they know."""
        self.require_staff(Role.SUPER_ADMIN)
        require_reason(reason)
        self._require_owed(amount_minor)
        self.record(NoteAdded, text=reason)
        self._record_recovery(amount_minor, Account.BALANCE, RecoveredFrom.CASH, reason)

    def check_write_off(self) -> None:
        """Raise unless a super_admin could give up, or record the return of, what the seller owes."""
        self.require_staff(Role.SUPER_ADMIN)
        self._require_owed(1)

    def write_off(self, amount_minor: int, reason: str) -> None:
        """Staff give up what the seller owes, or a part of it."""
        self.require_staff(Role.SUPER_ADMIN)
        require_reason(reason)
        self._require_owed(amount_minor)
        self.record(NoteAdded, text=reason)
        self.record(
            LossWrittenOff,
            amount_minor=amount_minor,
            reason=reason,
            currency=self.price.currency,
            postings=journal(
                debit(Account.LOSSES, amount_minor),
                credit(Account.SELLER_RECEIVABLE, amount_minor, str(self.seller_id)),
            ),
        )

    def _record_recovery(self, amount_minor: int, account: Account, source: RecoveredFrom, reason: str | None) -> None:
        self.record(
            ClawbackRecovered,
            amount_minor=amount_minor,
            source=source,
            reason=reason,
            currency=self.price.currency,
            postings=journal(
                debit(account, amount_minor), credit(Account.SELLER_RECEIVABLE, amount_minor, str(self.seller_id))
            ),
        )

    def _require_owed(self, amount_minor: int) -> None:
        if amount_minor <= 0:
            raise AmountNotPositive
        if amount_minor > self.receivable_minor:
            raise NothingOwed(owed_minor=self.receivable_minor)
