"""Payouts wait while the account that they go to is new: whoever took over a session shall not be paid at once."""

from datetime import datetime

from domain.transaction.event import TransactionEvent
from domain.transaction.payout import PayoutTrack
from domain.transaction.records import AccountWait, PayoutPurpose
from domain.transaction.state import TransactionState


class PayoutWaitsForAccount(TransactionEvent):
    """The payee has changed the account that he is paid to: the next attempt is not made before `usable_at`.

    A remark: nothing that staff decide about has changed, so what waits for a second pair of eyes is not void.
    """

    TOPIC = "transaction.payout_waits_for_account.v1"
    IS_REMARK = True
    purpose: PayoutPurpose
    attempt: int
    usable_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """It waits until this attempt is made."""
        transaction.account_waits[self.purpose] = AccountWait(attempt=self.attempt, usable_at=self.usable_at)


class CoolingTrack(PayoutTrack):
    """Waiting for an account to be usable."""

    def wait_for_account(self, purpose: PayoutPurpose, usable_at: datetime) -> None:
        """A reaction found the payee's account too new; that it still is, is no news.

        Raises `NothingPayable` when nothing could be paid anyway.
        """
        self.require_system()
        self.require_payable(purpose)
        wait = AccountWait(attempt=self.next_attempt(purpose), usable_at=usable_at)
        if self.account_waits.get(purpose) != wait:
            self.record(PayoutWaitsForAccount, purpose=purpose, attempt=wait.attempt, usable_at=usable_at)
