"""For each permitted action: the command that somebody would send in this position, with sane arguments."""

from collections.abc import Callable
from uuid import uuid5

from domain.actor import Actor
from domain.transaction.commands import (
    AcknowledgeReveal,
    ExtendInspection,
    MissReveal,
    OpenDispute,
    RecordStatement,
    ReplaceDeposit,
    RequestPayment,
    TransactionCommand,
    WithdrawDispute,
)
from domain.transaction.dispute import Award
from domain.transaction.records import DisputeCategory, Finding
from domain.transaction.staff_commands import (
    AddNote,
    Compensate,
    EscalateDispute,
    GiveRefundAccount,
    GrantApproval,
    RejectApproval,
    ResolveDispute,
    TypeOtp,
    WriteOff,
)
from tests.domain import paths
from tests.domain.paths import BUYER_KEY, REASON
from tests.domain.walk import NO_ID, Position, foreign_approval, human_dispute, own_dispute


def _dispute(at: Position, actor: Actor) -> OpenDispute:
    new_id = uuid5(at.transaction.id, f"offer {at.transaction.version}")
    return OpenDispute(dispute_id=new_id, category=DisputeCategory.NOT_WORKING)


def _resolve(at: Position, actor: Actor) -> ResolveDispute:
    award = Award(finding=Finding.SELLER, reason=REASON)
    return ResolveDispute(dispute_id=human_dispute(at, actor), award=award, limit_usd_cents=10**9)


def _escalate(at: Position, actor: Actor) -> EscalateDispute:
    fresh = [dispute.dispute_id for dispute in at.transaction.open_disputes if not dispute.escalated]
    return EscalateDispute(dispute_id=fresh[0] if fresh else NO_ID, reason=REASON)


OFFERS: dict[str, Callable[[Position, Actor], TransactionCommand]] = {
    "pay": lambda at, actor: RequestPayment(),
    "cancel": lambda at, actor: paths.cancel(),
    "sign": lambda at, actor: paths.sign(BUYER_KEY),
    "reveal": lambda at, actor: paths.reveal(),
    "acknowledge": lambda at, actor: AcknowledgeReveal(),
    "confirm-access": lambda at, actor: paths.confirm(),
    "redeposit": lambda at, actor: ReplaceDeposit(vault_id=NO_ID, addendum=paths.addendum()),
    "miss": lambda at, actor: MissReveal(),
    "extend-inspection": lambda at, actor: ExtendInspection(seconds=60, reason=REASON),
    "dispute": _dispute,
    "withdraw-dispute": lambda at, actor: WithdrawDispute(dispute_id=own_dispute(at, actor)),
    "state-access": lambda at, actor: RecordStatement(content_id=NO_ID, content_sha256="a" * 64),
    "note": lambda at, actor: AddNote(text="a note"),
    "resolve-dispute": _resolve,
    "escalate-dispute": _escalate,
    "release": lambda at, actor: paths.release_due(at.transaction),
    "refund": lambda at, actor: paths.refund(),
    "compensate": lambda at, actor: Compensate(amount_minor=1, reason=REASON, limit_usd_cents=10**9),
    "approve": lambda at, actor: GrantApproval(approval_id=foreign_approval(at, actor)),
    "reject": lambda at, actor: RejectApproval(approval_id=foreign_approval(at, actor), reason=REASON),
    "retry-refund": lambda at, actor: GiveRefundAccount(reason=REASON, content_id=NO_ID, content_sha256="d" * 64),
    "finalize-payout": lambda at, actor: TypeOtp(reason=REASON),
    "write-off": lambda at, actor: WriteOff(amount_minor=1, reason=REASON),
}
