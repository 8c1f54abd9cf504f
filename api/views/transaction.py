"""A transaction as its parties, staff and auditors see it: ids, never names."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.views.money import MoneyView
from domain.actor import PARTIES, Actor
from domain.money import Money
from domain.transaction import Transaction
from domain.transaction.records import Approval, Dispute, DisputeAnswer


class ContractView(BaseModel):
    """What is to be signed, and who has; `sha256` covers the bytes of GET …/contract."""

    contract_id: UUID
    sha256: str
    template_version: str
    buyer_signed_at: datetime | None
    seller_signed_at: datetime | None


class AnswerView(BaseModel):
    """What the processor is told about its dispute; `status` is ordered, sent or refused.

    `evidence_refs` names what was sent; an answer without evidence of ours was given by a person there.
    """

    status: str
    resolution: str
    ordered_at: datetime | None
    answered_at: datetime | None
    evidence_sha256: str | None
    evidence_refs: list[str]
    failure: str | None

    @classmethod
    def of(cls, answer: DisputeAnswer) -> "AnswerView":
        """Show an answer."""
        return cls(
            status=answer.status.value,
            resolution=answer.resolution,
            ordered_at=answer.ordered_at,
            answered_at=answer.answered_at,
            evidence_sha256=answer.evidence_sha256,
            evidence_refs=list(answer.evidence_refs),
            failure=answer.failure,
        )


class DisputeView(BaseModel):
    """A disagreement; `finding` is null while it is open, `answer` is for the processor's disputes."""

    dispute_id: UUID
    source: str
    category: str
    opened_at: datetime
    is_escalated: bool
    finding: str | None
    due_at: datetime | None
    answer: AnswerView | None

    @classmethod
    def of(cls, dispute: Dispute) -> "DisputeView":
        """Show a dispute."""
        return cls(
            dispute_id=dispute.dispute_id,
            source=dispute.source.value,
            category=dispute.category.value,
            opened_at=dispute.opened_at,
            is_escalated=dispute.escalated,
            finding=dispute.finding.value if dispute.finding else None,
            due_at=dispute.due_at,
            answer=AnswerView.of(dispute.answer) if dispute.answer else None,
        )


class DeadlineView(BaseModel):
    """The next moment at which the clock acts, and what for."""

    kind: str
    at: datetime


class ApprovalView(BaseModel):
    """A decision about money that waits, or waited, for a second super_admin."""

    approval_id: UUID
    transaction_id: UUID
    action: str
    purpose: str | None
    status: str
    amount: MoneyView
    reason: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, approval: Approval, transaction: Transaction) -> "ApprovalView":
        """Show a request for a second pair of eyes."""
        return cls(
            approval_id=approval.approval_id,
            transaction_id=transaction.id,
            action=approval.action.value,
            purpose=approval.purpose and approval.purpose.value,
            status=approval.status.value,
            amount=MoneyView.of(Money(approval.amount_minor, transaction.price.currency)),
            reason=approval.reason,
            requested_by=approval.requested_by,
            requested_at=approval.requested_at,
            expires_at=approval.expires_at,
        )


class TransactionView(BaseModel):
    """Where a transaction stands at `version`, why it does not move by itself, and what you can do about it.

    `pending_approvals` are for staff and auditors; parties see what comes of them.
    """

    id: UUID
    version: int
    state: str
    state_since: datetime
    listing_id: UUID
    vault_id: UUID
    buyer_id: UUID
    seller_id: UUID
    price: MoneyView
    held: MoneyView
    created_at: datetime
    payment_reference: str | None
    funds_held_at: datetime | None
    contract: ContractView | None
    vault: str
    revealed_at: datetime | None
    acknowledged_at: datetime | None
    inspection_ends_at: datetime | None
    completed_at: datetime | None
    refunded_at: datetime | None
    stuck_reason: str | None
    deadline: DeadlineView | None
    disputes: list[DisputeView]
    pending_approvals: list[ApprovalView]
    allowed_actions: list[str]

    @classmethod
    def of(cls, transaction: Transaction, actor: Actor) -> "TransactionView":
        """Show a transaction as of its last event: the same events give the same view for ever."""
        return cls.at(transaction, actor, transaction.modified_on)

    @classmethod
    def at(cls, transaction: Transaction, actor: Actor, at: datetime) -> "TransactionView":
        """Show a transaction with what `actor` can do at a moment."""
        price, deadline = transaction.price, transaction.next_deadline
        approvals = () if actor.role in PARTIES else transaction.pending_approvals
        return cls(
            id=transaction.id,
            version=transaction.version,
            state=transaction.state,
            state_since=transaction.phase_since,
            listing_id=transaction.listing_id,
            vault_id=transaction.vault_id,
            buyer_id=transaction.buyer_id,
            seller_id=transaction.seller_id,
            price=MoneyView.of(price),
            held=MoneyView(amount_minor=transaction.held_minor, currency=price.currency.value),
            created_at=transaction.created_on,
            payment_reference=transaction.payment_reference,
            funds_held_at=transaction.funds_held_at,
            contract=_contract(transaction),
            vault=transaction.vault.value,
            revealed_at=transaction.revealed_at,
            acknowledged_at=transaction.acknowledged_at,
            inspection_ends_at=transaction.inspection_ends_at,
            completed_at=transaction.completed_at,
            refunded_at=transaction.refunded_at,
            stuck_reason=transaction.stuck_reason,
            deadline=DeadlineView(kind=deadline.kind.value, at=deadline.at) if deadline else None,
            disputes=[DisputeView.of(dispute) for dispute in transaction.disputes.values()],
            pending_approvals=[ApprovalView.of(one, transaction) for one in approvals],
            allowed_actions=list(transaction.allowed_actions(actor, at)),
        )


def _contract(transaction: Transaction) -> ContractView | None:
    if transaction.contract_id is None:
        return None
    return ContractView(
        contract_id=transaction.contract_id,
        sha256=transaction.contract_sha256 or "",
        template_version=transaction.contract_template or "",
        buyer_signed_at=transaction.buyer_signed_at,
        seller_signed_at=transaction.seller_signed_at,
    )
