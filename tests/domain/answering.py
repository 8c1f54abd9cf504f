"""The moves of the walk that answer the processor: what a person does, and what became of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from domain.actor import Actor
from domain.transaction.commands import TransactionCommand
from domain.transaction.refund import RefundReport
from domain.transaction.staff_commands import (
    FinalizePayout,
    GiveRefundAccount,
    OrderOtp,
    RefuseOtp,
    RefuseRefundAccount,
    ResendOtp,
    RetryRefund,
    TypeOtp,
)
from domain.transaction.transfer import TransferReport
from tests.domain import paths
from tests.domain.paths import REASON
from tests.domain.people import SUPER

if TYPE_CHECKING:
    from tests.domain.walk import Position

ACCOUNT = UUID(int=0xACC)
GIVEN = GiveRefundAccount(reason=REASON, content_id=ACCOUNT, content_sha256="d" * 64)


def _typed(at: "Position", status: str) -> TransferReport:
    typed = (one.reference for one in at.transaction.payouts.values() if one.otp_by is not None)
    return paths.transfer(next(typed, "nobody"), status).report


def _given(at: "Position", status: str) -> RefundReport:
    given = (one.reference for one in at.transaction.refunds.values() if any(not it.refusal for it in one.accounts))
    return paths.refunded(next(given, "nobody"), status).report


def _retry(at: "Position") -> RetryRefund:
    report = _given(at, "processing")
    return RetryRefund(reason=REASON, content_id=ACCOUNT, content_sha256="d" * 64, report=report)


def _refuse_account(at: "Position") -> RefuseRefundAccount:
    return RefuseRefundAccount(content_id=ACCOUNT, refusal="no", report=_given(at, "needs-attention"))


ANSWERS: list[tuple[str, Actor, Callable[["Position"], TransactionCommand]]] = [
    ("type the password", SUPER, lambda at: TypeOtp(reason=REASON)),
    ("password taken", SUPER, lambda at: FinalizePayout(reason=REASON, report=_typed(at, "pending"))),
    ("password refused", SUPER, lambda at: RefuseOtp(refusal="no", report=_typed(at, "otp"))),
    ("resend the password", SUPER, lambda at: OrderOtp()),
    ("password resent", SUPER, lambda at: ResendOtp(reference=_typed(at, "otp").reference)),
    ("say where to refund", SUPER, lambda at: GIVEN),
    ("account taken", SUPER, _retry),
    ("account refused", SUPER, _refuse_account),
]
