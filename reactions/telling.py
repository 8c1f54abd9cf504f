"""Who hears of what: for every event of the log the templates that tell of it and to whom, or why nobody is told.

A new kind of event has to be put into one of these tables: a test compares them with the domain.
"""

from collections.abc import Mapping

from reactions.audience import (
    Telling,
    both,
    buyer,
    if_chargeback,
    if_complete,
    on,
    other_signer,
    payee,
    seller,
    unless_chargeback,
    unless_resolved,
    unless_told,
)

OF_TRANSACTION: Mapping[str, tuple[Telling, ...]] = {
    "transaction.opened.v1": (on("opened", both, "payment_due_at"),),
    "transaction.cancelled.v1": (on("cancelled", both, "by"),),
    "transaction.expired.v1": (on("expired"),),
    "transaction.payment_mismatched.v1": (on("payment_mismatched", buyer, "kind"),),
    "transaction.funds_held.v1": (on("funds_held", both, "amount_minor", "signing_due_at"),),
    "transaction.contract_generated.v1": (on("contract_ready"),),
    "transaction.contract_signed.v1": (
        on("signed_by_other", other_signer, "signer_role"),
        on("signed_by_both", if_complete, "reveal_due_at"),
    ),
    "transaction.credentials_revealed.v1": (on("revealed", both, "inspection_ends_at"),),
    "transaction.deposit_lost.v1": (on("deposit_lost", both, "redeposit_due_at"),),
    "transaction.deposit_replaced.v1": (on("deposit_replaced", both, "reveal_due_at"),),
    "transaction.inspection_extended.v1": (on("inspection_extended", both, "ends_at"),),
    "transaction.inspection_lapsed.v1": (on("inspection_lapsed", both, "outcome"),),
    "transaction.deadlines_extended.v1": (on("deadlines_extended"),),
    "transaction.access_confirmed.v1": (on("confirmed"),),
    "transaction.cancellation_requested.v1": (on("cancellation_requested", both, "by"),),
    "transaction.reserve_released.v1": (on("reserve_released", seller, "amount_minor"),),
    "transaction.refund_ordered.v1": (on("refund_ordered", unless_told, "amount_minor", "basis"),),
    "transaction.receipt_return_ordered.v1": (on("receipt_returned", buyer),),
    "transaction.refund_needs_attention.v1": (on("refund_needs_attention", buyer),),
    "transaction.refund_processed.v1": (on("refund_sent", buyer),),
    "transaction.refund_failed.v1": (on("refund_failed", buyer),),
    "transaction.payout_succeeded.v1": (on("payout_sent", payee),),
    "transaction.payout_paid_after_all.v1": (on("payout_sent", payee),),
    "transaction.payout_given_up.v1": (on("payout_failed", payee),),
    "transaction.payout_reversed.v1": (on("payout_reversed", payee),),
    "transaction.compensation_granted.v1": (on("compensation_granted", buyer, "amount_minor"),),
    "transaction.dispute_opened.v1": (
        on("chargeback_opened", if_chargeback),
        on("dispute_opened", unless_chargeback, "source"),
    ),
    "transaction.dispute_withdrawn.v1": (on("dispute_withdrawn"),),
    "transaction.dispute_escalated.v1": (on("dispute_escalated"),),
    "transaction.dispute_resolved.v1": (
        on("dispute_resolved", both, "finding", "to_buyer_minor", "to_seller_minor", "compensation_minor"),
    ),
    "transaction.chargeback_lost.v1": (on("chargeback_lost", both, "amount_minor"),),
    "transaction.clawback_recovered.v1": (on("clawback_recovered", seller, "amount_minor"),),
    "transaction.payable_withheld.v1": (on("payable_withheld", seller, "amount_minor"),),
    "transaction.decision_taken.v1": (on("decision_taken", unless_resolved, "action", "amount_minor"),),
}

OF_LISTING: Mapping[str, tuple[Telling, ...]] = {
    "listing.approved.v1": (Telling(template="listing_approved"),),
    "listing.rejected.v1": (Telling(template="listing_rejected", facts=("reason",)),),
    "listing.info_requested.v1": (Telling(template="listing_info_requested", facts=("reason",)),),
    "listing.removed.v1": (Telling(template="listing_removed", facts=("reason",)),),
    "listing.deposit_lost.v1": (Telling(template="listing_deposit_lost"),),
}

OF_USER: Mapping[str, tuple[Telling, ...]] = {
    "user.role_granted.v1": (Telling(template="role_granted", facts=("role",)),),
    "user.role_revoked.v1": (Telling(template="role_revoked", facts=("role",)),),
}

TOLD = frozenset({*OF_TRANSACTION, *OF_LISTING, *OF_USER})

OWN_DOING = "it is the recipient's own doing, and was answered when it was done"
STAFF_ONLY = "it concerns staff, who have alerts for it"
STEP = "it is a step of the program on the way to something that is told of"
SAME_APPEND = "what comes with it in the same append is told of"
PROCESSORS = "it is between us and the processor, and changes nothing for the parties"

UNTOLD: Mapping[str, str] = {
    "canary.started.v1": STAFF_ONLY,
    "canary.failed.v1": STAFF_ONLY,
    "canary.recovered.v1": STAFF_ONLY,
    "listing.proof_attached.v1": OWN_DOING,
    "listing.proof_removed.v1": OWN_DOING,
    "transaction.payment_requested.v1": OWN_DOING,
    "transaction.payment_link_issued.v1": STEP,
    "transaction.payment_attempt_failed.v1": "the buyer is answered at once, and asks for another page",
    "transaction.payment_received.v1": SAME_APPEND,
    "transaction.payment_fee_assessed.v1": PROCESSORS,
    "transaction.credentials_granted.v1": SAME_APPEND,
    "transaction.reveal_acknowledged.v1": OWN_DOING,
    "transaction.reveal_missed.v1": SAME_APPEND,
    "transaction.addendum_signed.v1": SAME_APPEND,
    "transaction.release_ordered.v1": SAME_APPEND,
    "transaction.split_ordered.v1": SAME_APPEND,
    "transaction.payout_requested.v1": STEP,
    "transaction.payout_uncertain.v1": STEP,
    "transaction.payout_submitted.v1": STEP,
    "transaction.payout_otp_required.v1": STAFF_ONLY,
    "transaction.payout_fee_assessed.v1": PROCESSORS,
    "transaction.payout_reversal_seen.v1": PROCESSORS,
    "transaction.payout_failed.v1": "it is tried again by itself; the payee hears when it is given up",
    "transaction.payout_retry_scheduled.v1": STEP,
    "transaction.payout_finalized.v1": STAFF_ONLY,
    "transaction.payout_otp_resent.v1": STAFF_ONLY,
    "user.payout_account_changed.v1": "it is told of where it is changed, in the same transaction",
    "user.payout_account_changed.v2": "it is told of where it is changed, in the same transaction",
    "transaction.payout_waits_for_account.v1": "the payee was told when he changed the account",
    "transaction.payout_account_unproven.v1": "staff have an alert, and ask the payee in a way that they trust",
    "transaction.payout_waits_for_balance.v1": STAFF_ONLY,
    "transaction.refund_waits_for_balance.v1": STAFF_ONLY,
    "transaction.refund_uncertain.v1": STEP,
    "transaction.refund_submitted.v1": STEP,
    "transaction.refund_processing.v1": STEP,
    "transaction.refund_retried.v1": STEP,
    "transaction.chargeback_covered.v1": PROCESSORS,
    "transaction.stray_chargeback_lost.v1": "it was on its way back to the buyer, and his bank has told him",
    "transaction.stray_chargeback_covered.v1": PROCESSORS,
    "transaction.foreign_chargeback_seen.v1": STAFF_ONLY,
    "transaction.cancelled_refund_sent.v1": STAFF_ONLY,
    "transaction.processor_dispute_answer_ordered.v1": PROCESSORS,
    "transaction.processor_dispute_answered.v1": PROCESSORS,
    "transaction.processor_dispute_answer_refused.v1": STAFF_ONLY,
    "transaction.debt_recovered.v1": SAME_APPEND,
    "transaction.loss_written_off.v1": STAFF_ONLY,
    "transaction.approval_requested.v1": "nothing is decided yet",
    "transaction.approval_granted.v1": SAME_APPEND,
    "transaction.approval_rejected.v1": "nothing happens because of it",
    "transaction.approval_expired.v1": "nothing happens because of it",
    "transaction.note_added.v1": STAFF_ONLY,
    "transaction.statement_recorded.v1": OWN_DOING,
    "transaction.parties_notified.v1": "it is the record of telling itself",
    "listing.drafted.v1": OWN_DOING,
    "listing.revised.v1": OWN_DOING,
    "listing.deposit_attached.v1": OWN_DOING,
    "listing.submitted.v1": OWN_DOING,
    "listing.reserved.v1": SAME_APPEND,
    "listing.freed.v1": "the end of its transaction is told of",
    "listing.sold.v1": "the end of its transaction is told of",
    "user.registered.v1": "whoever registers gets a code by mail",
    "vault.credentials_sealed.v1": OWN_DOING,
    "vault.credentials_destroyed.v1": STEP,
    "vault.credentials_lost.v1": "the parties of a sale hear of it by `transaction.deposit_lost.v1`",
    "configuration.started.v1": STAFF_ONLY,
    "configuration.setting_changed.v1": STAFF_ONLY,
    "treasury.opened.v1": STAFF_ONLY,
    "treasury.funds_moved.v1": STAFF_ONLY,
    "webhook.received.v1": STEP,
    "reconciliation.completed.v1": STAFF_ONLY,
    "restore.reconciled.v1": STAFF_ONLY,
    "external_payment.discovered.v1": STAFF_ONLY,
    "external_payment.settled.v1": STAFF_ONLY,
}
