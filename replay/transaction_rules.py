"""The rules of a transaction: what must hold just before each of its events, but for those of payouts and refunds."""

from domain.actor import STAFF, Role
from domain.ids import derive_reference
from domain.journal import Account
from domain.money import share
from domain.policy import COMPENSATION_CAP_BPS
from domain.transaction import Transaction
from domain.transaction.approval import (
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRejected,
    ApprovalRequested,
    ApprovalRequestedWithoutPurpose,
    DecisionTaken,
)
from domain.transaction.chargeback import ChargebackCovered, ChargebackLost
from domain.transaction.clawback import (
    ClawbackRecovered,
    ClawbackRecoveredWithoutReason,
    DebtRecovered,
    LossWrittenOff,
    PayableWithheld,
)
from domain.transaction.compensation import CompensationGranted
from domain.transaction.contract import ContractGenerated, ContractSigned, CredentialsGranted
from domain.transaction.dispute import DisputeEscalated, DisputeOpened, DisputeResolved, DisputeWithdrawn
from domain.transaction.inspection import AccessConfirmed, InspectionExtended, InspectionLapsed
from domain.transaction.note import NoteAdded, PartiesNotified, StatementRecorded
from domain.transaction.opening import TransactionCancelled, TransactionExpired
from domain.transaction.outage import ClocksResumed, DeadlinesExtended
from domain.transaction.payment import (
    FundsHeld,
    PaymentAttemptFailed,
    PaymentFeeAssessed,
    PaymentLinkIssued,
    PaymentMismatched,
    PaymentReceived,
    PaymentRequested,
)
from domain.transaction.records import (
    ApprovalStatus,
    ContractStatus,
    PaymentStatus,
    PayoutPurpose,
    SettlementStatus,
    VaultStatus,
)
from domain.transaction.settlement import (
    CancellationRequested,
    ReleaseOrdered,
    ReserveReleased,
    SplitOrdered,
)
from domain.transaction.stray_chargeback import StrayChargebackCovered, StrayChargebackLost
from domain.transaction.vault import (
    AddendumSigned,
    CredentialsRevealed,
    DepositLost,
    DepositReplaced,
    RevealAcknowledged,
    RevealMissed,
)
from replay.rules import Rule, require

SHOWN = frozenset({VaultStatus.REVEALED, VaultStatus.ACKNOWLEDGED})


def _is_unpaid(x: Transaction, e: TransactionCancelled | TransactionExpired) -> bool:
    return x.ended_as is None and x.payment is not PaymentStatus.RECEIVED


def _awaits_link(x: Transaction, e: PaymentLinkIssued | PaymentAttemptFailed) -> bool:
    return x.payment is PaymentStatus.REQUESTED and not x.payment_link_issued and e.reference == x.payment_reference


def _is_unsigned_by(x: Transaction, e: ContractSigned) -> bool:
    signed_at = x.buyer_signed_at if e.signer_role is Role.BUYER else x.seller_signed_at
    return signed_at is None and e.content_sha256 == x.contract_sha256 and x.is_live


def _may_be_revealed(x: Transaction, e: CredentialsRevealed) -> bool:
    unseen = x.vault is VaultStatus.GRANTED and x.contract is ContractStatus.SIGNED
    return unseen and x.is_live and not x.has_open_dispute and e.to_user_id == x.buyer_id


def _may_be_missed(x: Transaction, e: RevealMissed) -> bool:
    is_unread = x.vault is VaultStatus.REVEALED and e.vault_id == x.vault_id
    return is_unread and x.missed_at is None and x.is_live and e.actor_id == str(x.buyer_id)


def _replaces_lost(x: Transaction, e: AddendumSigned) -> bool:
    is_lost = x.vault is VaultStatus.LOST and e.replaced_vault_id == x.vault_id
    return is_lost and e.contract_id == x.contract_id and e.actor_id == str(x.seller_id) == str(e.signer_id)


def _may_be_replaced(x: Transaction, e: DepositReplaced) -> bool:
    is_named = e.key_fingerprint == x.buyer_key_fingerprint
    return x.vault is VaultStatus.LOST and is_named and e.vault_id != x.shown_vault_id


def _may_be_confirmed(x: Transaction, e: AccessConfirmed) -> bool:
    return x.is_live and not x.has_open_dispute and x.vault in SHOWN and e.actor_id == str(x.buyer_id)


def _releases_all(x: Transaction, e: ReleaseOrdered) -> bool:
    parts = e.to_seller_minor + e.platform_fee_minor + e.tax_minor + e.reserve_minor
    return x.is_held and not x.has_open_dispute and e.amount_minor == x.held_minor == parts


def _splits_all(x: Transaction, e: SplitOrdered) -> bool:
    parts = (e.to_buyer_minor, e.to_seller_minor, e.platform_fee_minor)
    return x.is_held and min(parts) >= 0 and sum(parts) == x.held_minor and e.reference not in x.refunds


def _is_open_dispute(x: Transaction, e: DisputeWithdrawn | DisputeEscalated | DisputeResolved) -> bool:
    dispute = x.disputes.get(e.dispute_id)
    return dispute is not None and dispute.is_open


def _is_pending(x: Transaction, e: ApprovalGranted | ApprovalRejected | ApprovalExpired) -> bool:
    approval = x.approvals.get(e.approval_id)
    return approval is not None and approval.status is ApprovalStatus.REQUESTED


def _has_second_person(x: Transaction, e: ApprovalGranted) -> bool:
    approval = x.approvals.get(e.approval_id)
    return _is_pending(x, e) and approval is not None and approval.requested_by not in {None, e.actor_id}


def _is_within_cap(x: Transaction, e: CompensationGranted) -> bool:
    return 1 <= e.amount_minor <= share(x.price.amount_minor, COMPENSATION_CAP_BPS) - x.compensation_minor


def _is_receivable(x: Transaction, e: ClawbackRecoveredWithoutReason | LossWrittenOff) -> bool:
    return 1 <= e.amount_minor <= x.receivable_minor


def _may_be_withheld(x: Transaction, e: PayableWithheld) -> bool:
    is_payable = 1 <= e.amount_minor <= x.payable_minor(PayoutPurpose.SELLER)
    is_by_program = e.actor_role is Role.SYSTEM and e.owing_transaction_id != x.id
    return is_payable and is_by_program and not x.has_open_dispute


def _is_owed_back(x: Transaction, e: DebtRecovered) -> bool:
    return 1 <= e.amount_minor <= x.receivable_minor and e.paying_transaction_id != x.id


def _is_asked_for(x: Transaction, e: PaymentRequested) -> bool:
    misfits = (*(one.reference for one in x.suspense.values()), *(one.charge_reference for one in x.refunds.values()))
    is_spent = x.payment_reference in (*misfits, *x.stray_fees)
    is_free = is_spent or x.payment in {PaymentStatus.NONE, PaymentStatus.REVERSED}
    is_next = e.attempt == x.payment_attempts + 1 and e.amount_minor == x.price.amount_minor
    is_derived = e.reference == derive_reference("ch", x.id, "payment", e.attempt)
    return x.ended_as is None and is_free and is_next and is_derived


def _is_unknown_fee(x: Transaction, e: PaymentFeeAssessed) -> bool:
    """That of the charge that paid, or one for each reference that was asked for, once stray money came.

    Stray money may come under the reference of the price as well, with a fee of its own.
    """
    if x.funds_held_at is not None and x.charge_fee_minor is None and e.reference == x.payment_reference:
        return True
    has_strays = any(charge != x.processor_charge_id for charge in x.seen_charges)
    return has_strays and e.reference not in x.stray_fees and x.has_asked_for(e.reference)


def _is_first_receipt(x: Transaction, e: PaymentReceived) -> bool:
    is_wanted = x.ended_as is None and x.received_minor == 0
    return is_wanted and e.amount_minor == x.price.amount_minor and x.has_asked_for(e.reference)


def _is_new_misfit(x: Transaction, e: PaymentMismatched) -> bool:
    return e.processor_id not in x.seen_charges and x.has_asked_for(e.reference)


def _just_received(x: Transaction, e: FundsHeld) -> bool:
    is_new = x.settlement is SettlementStatus.NONE and x.payment is PaymentStatus.RECEIVED
    return is_new and e.amount_minor == x.held_minor


def _has_been_stopped(x: Transaction, e: ClocksResumed) -> bool:
    seconds = 0 if x.has_dispute_against_refund else x.paused_seconds
    release_seconds = 0 if x.has_open_dispute else x.release_paused_seconds
    is_within = 0 <= e.seconds <= seconds and 0 <= e.release_seconds <= release_seconds
    return is_within and e.seconds + e.release_seconds > 0


T = Transaction
TRANSACTION_RULES: dict[str, Rule] = dict(
    [
        require(T, TransactionCancelled, "no money has come and it has not ended", _is_unpaid),
        require(T, TransactionExpired, "no money has come and it has not ended", _is_unpaid),
        require(T, PaymentRequested, "the next attempt to pay the price", _is_asked_for),
        require(T, PaymentLinkIssued, "this payment was asked for and has no page yet", _awaits_link),
        require(T, PaymentAttemptFailed, "this payment was asked for and has no page yet", _awaits_link),
        require(T, PaymentReceived, "the price, once, asked for and while it is wanted", _is_first_receipt),
        require(T, FundsHeld, "the payment was received just before", _just_received),
        require(T, PaymentFeeAssessed, "the fee of a charge that came, not known yet", _is_unknown_fee),
        require(T, PaymentMismatched, "a charge not seen before, of a payment that was asked for", _is_new_misfit),
        require(
            T,
            ContractGenerated,
            "money is held and there is no contract yet",
            lambda x, e: x.is_live and x.contract is ContractStatus.NONE,
        ),
        require(T, ContractSigned, "this party has not signed this text yet", _is_unsigned_by),
        require(T, CredentialsGranted, "the seller has signed", lambda x, e: x.seller_signed_at is not None),
        require(T, CredentialsRevealed, "held, signed by both, undisputed, granted, not yet shown", _may_be_revealed),
        require(T, RevealAcknowledged, "the credentials were shown", lambda x, e: x.vault is VaultStatus.REVEALED),
        require(
            T,
            DepositLost,
            "a deposit that is neither lost nor acknowledged",
            lambda x, e: x.vault not in {VaultStatus.LOST, VaultStatus.ACKNOWLEDGED},
        ),
        require(T, RevealMissed, "shown, not acknowledged, said once and by the buyer", _may_be_missed),
        require(T, AddendumSigned, "by the seller, of this contract, in place of the lost deposit", _replaces_lost),
        require(T, DepositReplaced, "lost, and never shown before", _may_be_replaced),
        require(T, AccessConfirmed, "held, shown, undisputed, and by the buyer", _may_be_confirmed),
        require(T, InspectionExtended, "held and shown", lambda x, e: x.is_live and x.vault in SHOWN),
        require(T, InspectionLapsed, "it has not lapsed yet", lambda x, e: not x.inspection_lapsed),
        require(T, DeadlinesExtended, "a whole number of seconds", lambda x, e: e.seconds > 0),
        require(T, ClocksResumed, "no more than a dispute that is closed has stopped", _has_been_stopped),
        require(T, CancellationRequested, "held and not yet shown", lambda x, e: x.is_live and not x.revealed_at),
        require(T, ReleaseOrdered, "undisputed, and exactly what is held", _releases_all),
        require(
            T,
            ReserveReleased,
            "exactly what is reserved",
            lambda x, e: 0 < e.amount_minor == x.owed(Account.SELLER_RESERVE),
        ),
        require(T, SplitOrdered, "parts that add up to what is held", _splits_all),
        require(T, DisputeOpened, "a new dispute", lambda x, e: e.dispute_id not in x.disputes),
        require(T, DisputeWithdrawn, "an open dispute", _is_open_dispute),
        require(T, DisputeEscalated, "an open dispute", _is_open_dispute),
        require(T, DisputeResolved, "an open dispute", _is_open_dispute),
        require(T, ChargebackLost, "an amount", lambda x, e: e.amount_minor > 0),
        require(T, StrayChargebackLost, "an amount", lambda x, e: e.amount_minor > 0),
        require(
            T,
            StrayChargebackCovered,
            "no more than was taken back before it came",
            lambda x, e: 1 <= e.amount_minor <= x.uncovered_stray_minor[e.charge_id],
        ),
        require(
            T,
            ChargebackCovered,
            "no more than was taken back before it came",
            lambda x, e: 1 <= e.amount_minor <= x.uncovered_chargeback_minor,
        ),
        require(T, CompensationGranted, "no more than the cap leaves", _is_within_cap),
        require(T, ClawbackRecoveredWithoutReason, "no more than the seller owes", _is_receivable),
        require(T, ClawbackRecovered, "no more than the seller owes", _is_receivable),
        require(T, PayableWithheld, "no more than is payable, undisputed, for another sale", _may_be_withheld),
        require(T, DebtRecovered, "no more than the seller owes, by another sale", _is_owed_back),
        require(T, LossWrittenOff, "no more than the seller owes", _is_receivable),
        require(T, ApprovalRequestedWithoutPurpose, "a new request", lambda x, e: e.approval_id not in x.approvals),
        require(T, ApprovalRequested, "a new request", lambda x, e: e.approval_id not in x.approvals),
        require(T, ApprovalGranted, "a pending request of somebody else", _has_second_person),
        require(T, ApprovalRejected, "a pending request", _is_pending),
        require(T, ApprovalExpired, "a pending request", _is_pending),
        require(T, DecisionTaken, "a decision of staff", lambda x, e: e.actor_role in STAFF),
        require(T, NoteAdded, "a transaction"),
        require(T, StatementRecorded, "a transaction"),
        require(T, PartiesNotified, "a transaction"),
    ]
)
