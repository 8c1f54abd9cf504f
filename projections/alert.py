"""The `alerts` table: what somebody has to look at."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from database.connect import Pool
from database.queries import load
from domain.actor import PARTIES
from domain.journal import Account
from domain.transaction.refund import NEEDS_A_LOOK
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, project
from projections.rows import Rows, Table

SQL = load("projections", "alert.sql")


class AlertRow(NamedTuple):
    """An alert: `subject` names the payout, refund, dispute or listing, `raised_at` is when the log knew of it.

    A projection that stopped is one too: kind `projection_stopped`, its name as subject, the event's position. More
    stand at position 0: `log_restored`, `reconciliation_failed`, `mail_failing` and `sms_failing` while something
    stands still and afterwards, `reconciliation_missed` for as long as no run has come, `webhooks_waiting` for as long
    as they do, and `dispute_undecided`, which is raised anew each day from the fourteenth on.
    """

    position: int
    severity: str
    kind: str
    subject: str
    transaction_id: UUID | None
    actor_id: str
    amount_minor: int | None
    detail: str | None
    created_at: datetime
    raised_at: datetime


ALERT = Table(name="alerts", key=("position",), columns=AlertRow._fields, is_append_only=True)


async def list_alerts(
    pool: Pool,
    *,
    transaction_id: UUID | None = None,
    severity: str | None = None,
    kind: str | None = None,
    before: tuple[datetime, int, str] | None = None,
    at: datetime | None = None,
    limit: int = 20,
) -> list[AlertRow]:
    """Return alerts, newest first; `before` is (raised_at, position, subject) of the last one of the page before.

    `at` is the present: without it nothing is missed that should have come by now.
    """
    before_at, position, subject = before or (None, None, None)
    parameters = {
        "transaction_id": transaction_id,
        "severity": severity,
        "kind": kind,
        "before_at": before_at,
        "before_position": position,
        "before_subject": subject,
        "at": at,
        "limit": limit,
    }
    return await fetch_all(pool, AlertRow, SQL.list, parameters)


def alert(
    severity: str, kind: str, subject: str | None = None, detail: str | None = None
) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change that raises an alert; `subject` and `detail` are fields of the event, the stream by default."""

    def apply(event: RecordedEvent, rows: Rows) -> None:
        about = text_of(event.stream_id) if subject is None else cast("str", event.data[subject])
        _raise(event, rows, severity, kind, about, None if detail is None else str(event.data[detail]))

    return apply


def alert_of_decision(event: RecordedEvent, rows: Rows) -> None:
    """Staff moved money: the runbook wants to know of every release and refund."""
    action, reason = cast("str", event.data["action"]), cast("str", event.data["reason"])
    _raise(event, rows, "P1", f"admin_{action}", text_of(event.stream_id), reason)


def alert_of_dispute(event: RecordedEvent, rows: Rows) -> None:
    """A chargeback has to be answered within hours; a party's dispute within days."""
    is_chargeback = event.data["source"] == "processor"
    severity, kind = ("P1", "chargeback_opened") if is_chargeback else ("P2", "dispute_opened")
    _raise(event, rows, severity, kind, cast("str", event.data["dispute_id"]), cast("str", event.data["category"]))


def alert_of_loss(event: RecordedEvent, rows: Rows) -> None:
    """A chargeback was lost; what nobody had left to give is the platform's loss, which is a P0."""
    lines = cast("list[tuple[str, str, int]]", event.data["postings"])
    loss_minor = sum(amount for account, _, amount in lines if account == Account.LOSSES)
    severity, detail = ("P0", f"{loss_minor} more than was left: the platform's loss") if loss_minor else ("P1", None)
    _raise(event, rows, severity, "chargeback_lost", cast("str", event.data["processor_dispute_id"]), detail)


def alert_of_shortfall(what: str) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change for a payout or refund that the processor's balance does not cover."""

    def apply(event: RecordedEvent, rows: Rows) -> None:
        detail = f"the {what} waits: top up {event.data['currency']}"
        _raise(event, rows, "P1", "balance_insufficient", cast("str", event.data["reference"]), detail)

    return apply


def alert_of_doubt(event: RecordedEvent, rows: Rows) -> None:
    """The processor has another refund in the place of ours: no waiting tells whether ours was made."""
    error = cast("str", event.data["error"])
    if error in NEEDS_A_LOOK:
        _raise(event, rows, "P1", "refund_uncertain", cast("str", event.data["reference"]), error)


def alert_of_foreign_chargeback(event: RecordedEvent, rows: Rows) -> None:
    """A chargeback of stray money: a person answers it, and settles what it took with what reconciliation finds."""
    data = event.data
    about, outcome = cast("str", data["processor_dispute_id"]), data["outcome"]
    if outcome != "won":
        severity, what = ("P0", "not booked") if outcome == "lost" else ("P1", "answer it there")
        _raise(event, rows, severity, "chargeback_in_another_currency", about, f"{data['currency']}: {what}")


def alert_of_lapse(event: RecordedEvent, rows: Rows) -> None:
    """Silence that does not release or refund by itself waits for a person."""
    if event.data["outcome"] == "escalate":
        _raise(event, rows, "P2", "inspection_lapsed", text_of(event.stream_id), "awaiting a decision")


def alert_of_setting(event: RecordedEvent, rows: Rows) -> None:
    """Break-glass is a P0 for as long as it is on; any other money setting is a P1."""
    setting, value = event.data["setting"], event.data["value"]
    severity = "P0" if setting == "break_glass" and value else "P1"
    _raise(event, rows, severity, "setting_changed", cast("str", setting), f"{setting}={value}")


def alert_of_role(event: RecordedEvent, rows: Rows) -> None:
    """Somebody can see or do more than a party of a sale now, perhaps from the beginning."""
    data = event.data
    roles = cast("list[str]", data["roles"]) if "roles" in data else [cast("str", data["role"])]
    powerful = [role for role in roles if role not in PARTIES]
    if powerful:
        _raise(event, rows, "P1", "role_granted", text_of(event.stream_id), ", ".join(powerful))


def alert_of_payout_account(event: RecordedEvent, rows: Rows) -> None:
    """Two people are paid to one account, or somebody is paid under another name than his own, or both."""
    shared_with, name_differs = cast("list[str]", event.data["shared_with"]), event.data["name_matches"] is False
    if shared_with:
        detail = f"with {', '.join(shared_with)}{', and the name differs' if name_differs else ''}"
        _raise(event, rows, "P2", "payout_account_shared", text_of(event.stream_id), detail)
    elif name_differs:
        _raise(event, rows, "P3", "payout_account_name_differs", text_of(event.stream_id), None)


def alert_of_webhook(event: RecordedEvent, rows: Rows) -> None:
    """The processor reports a chargeback: it has to be answered there, by people, within hours."""
    name = cast("str", event.data["event"])
    if name.startswith("charge.dispute."):
        _raise(event, rows, "P1", "chargeback_reported", cast("str", event.data["body_sha256"]), name)


def alert_of_reconciliation(event: RecordedEvent, rows: Rows) -> None:
    """The books and the processor's disagree: every hour that it stays so makes it harder to explain."""
    counts = cast("list[tuple[str, int]]", event.data["counts"])
    if counts:
        detail = ", ".join(f"{number} {kind}" for kind, number in counts)
        _raise(event, rows, "P1", "reconciliation_differences", text_of(event.stream_id), detail)


def alert_of_restore(event: RecordedEvent, rows: Rows) -> None:
    """The log was set back: what was taken up again, and what a person has to look at."""
    data = event.data
    severity = "P0" if data["discovered"] else "P1"
    detail = f"{data['cause']}: {data['applied']} payments taken up, {data['discovered']} have no place"
    _raise(event, rows, severity, "restore_reconciled", text_of(event.stream_id), detail)


def alert_of_external_payment(event: RecordedEvent, rows: Rows) -> None:
    """Money moved that the log does not know: its transaction is held back until a person has decided."""
    data = event.data
    detail = f"{data['kind']} {data['amount_minor']} {data['currency']} ({data['status']})"
    about = str(data["reference"] or data["processor_id"])
    _raise(event, rows, "P0", "external_payment_discovered", about, detail, cast("str | None", data["transaction_id"]))


def _raise(
    event: RecordedEvent,
    rows: Rows,
    severity: str,
    kind: str,
    subject: str,
    detail: str | None,
    transaction_id: str | None = None,
) -> None:
    data = event.data
    rows.add(
        ALERT.name,
        {
            "position": event.position,
            "severity": severity,
            "kind": kind,
            "subject": subject,
            "transaction_id": text_of(event.stream_id) if event.topic.startswith("transaction.") else transaction_id,
            "actor_id": data["actor_id"],
            "amount_minor": data.get("amount_minor", data.get("suspense_minor")),
            "detail": detail,
            "created_at": data["timestamp"],
            "raised_at": text_of(event.recorded_at),
        },
    )


ALERTS = project(
    "alerts",
    11,
    (ALERT,),
    SQL,
    {
        "transaction.payout_failed.v1": Change(alert("P2", "payout_attempt_failed", "reference", "reason")),
        "transaction.payout_given_up.v1": Change(alert("P0", "payout_failed", "reference", "reason")),
        "transaction.payout_paid_after_all.v1": Change(
            alert("P0", "payout_paid_after_all", "reference", "twice_minor")
        ),
        "transaction.payout_account_unproven.v1": Change(alert("P0", "payout_account_unproven", None, "doubt")),
        "transaction.payout_reversed.v1": Change(alert("P0", "payout_reversed", "reference", "reason")),
        "transaction.payout_waits_for_balance.v1": Change(alert_of_shortfall("payout")),
        "transaction.refund_waits_for_balance.v1": Change(alert_of_shortfall("refund")),
        "transaction.payout_otp_required.v1": Change(alert("P1", "payout_otp_required", "reference")),
        "transaction.refund_uncertain.v1": Change(alert_of_doubt),
        "transaction.refund_doubt_resolved.v1": Change(alert("P3", "refund_doubt_resolved", "reference", "doubt")),
        "transaction.refund_failed.v1": Change(alert("P1", "refund_failed", "reference", "reason")),
        "transaction.refund_needs_attention.v1": Change(alert("P1", "refund_needs_attention", "reference")),
        "transaction.payment_mismatched.v1": Change(alert("P1", "payment_mismatched", "reference", "kind")),
        "transaction.question_refused.v1": Change(alert("P1", "question_refused", "reference", "refusal")),
        "transaction.question_answered.v1": Change(alert("P3", "question_answered", "reference")),
        "transaction.decision_taken.v1": Change(alert_of_decision),
        "transaction.approval_requested.v1": Change(alert("P2", "approval_requested", "approval_id", "action")),
        "transaction.approval_requested.v2": Change(alert("P2", "approval_requested", "approval_id", "action")),
        "transaction.dispute_opened.v1": Change(alert_of_dispute),
        "transaction.dispute_escalated.v1": Change(alert("P1", "dispute_escalated", "dispute_id", "reason")),
        "transaction.chargeback_lost.v1": Change(alert_of_loss),
        "transaction.stray_chargeback_lost.v1": Change(alert_of_loss),
        "transaction.chargeback_refund_failed.v1": Change(
            alert("P3", "chargeback_refund_failed", "reference", "amount_minor")
        ),
        "transaction.foreign_chargeback_seen.v1": Change(alert_of_foreign_chargeback),
        "transaction.foreign_chargeback_seen.v2": Change(alert_of_foreign_chargeback),
        "transaction.processor_dispute_answer_refused.v1": Change(
            alert("P1", "chargeback_answer_refused", "dispute_id", "reason")
        ),
        "transaction.cancelled_refund_sent.v1": Change(alert("P1", "cancelled_refund_sent", "reference")),
        "transaction.failed_refund_sent.v1": Change(alert("P0", "failed_refund_sent", "reference", "amount_minor")),
        "transaction.inspection_lapsed.v1": Change(alert_of_lapse),
        "transaction.deposit_lost.v1": Change(alert("P1", "deposit_lost", "vault_id")),
        "transaction.loss_written_off.v1": Change(alert("P1", "loss_written_off", None, "reason")),
        "vault.credentials_lost.v1": Change(alert("P1", "credentials_lost", None, "reason")),
        "canary.failed.v1": Change(alert("P0", "vault_canary_failed", None, "reason")),
        "canary.recovered.v1": Change(alert("P2", "vault_canary_recovered")),
        "configuration.setting_changed.v1": Change(alert_of_setting),
        "user.registered.v1": Change(alert_of_role),
        "user.role_granted.v1": Change(alert_of_role),
        "user.payout_account_changed.v1": Change(alert_of_payout_account),
        "user.payout_account_changed.v2": Change(alert_of_payout_account),
        "webhook.received.v1": Change(alert_of_webhook),
        "reconciliation.completed.v1": Change(alert_of_reconciliation),
        "restore.reconciled.v1": Change(alert_of_restore),
        "external_payment.discovered.v1": Change(alert_of_external_payment),
    },
)
