"""Chargebacks that the log can answer are answered: in time, once, with the same document however often it is made."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from inspect import iscoroutinefunction
from itertools import count
from typing import cast

import pytest

from domain.journal import Account
from domain.transaction.commands import OpenDispute
from domain.transaction.phase import Phase
from domain.transaction.records import AnswerStatus, DisputeCategory, Finding
from gateways.chargeback import Chargeback
from gateways.payment import Charge
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.reactions.answering import (
    ORDERED,
    Stage,
    answer_of,
    held,
    paid_out,
    released,
    require_answered_once,
    shown,
    uploaded,
)
from tests.reactions.dying import again
from tests.reactions.street import Street, open_street, tell, work
from tests.reactions.working import fold, read
from tests.reactions.world import START

HOURS_TO_DUE = 16


class OfAnother:
    """A processor whose chargebacks are of a payment that did not pay the price, by number or by reference."""

    def __init__(self, real: Processor, *, is_numbered: bool) -> None:
        self._real, self._is_numbered = real, is_numbered

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    async def fetch_chargeback(self, processor_id: int) -> Chargeback:
        found = await self._real.fetch_chargeback(processor_id)
        if self._is_numbered:
            return replace(found, charge_id=(found.charge_id or 0) + 1)
        return replace(found, charge_id=None, charge_reference="ch-another")

    async def verify_charge(self, reference: str) -> Charge:
        if reference != "ch-another":
            return await self._real.verify_charge(reference)
        (dispute,) = await self._real.list_chargebacks(since=START)
        charge = await self._real.verify_charge(dispute.charge_reference or "")
        return replace(charge, reference=reference, processor_id=charge.processor_id + 1)


@pytest.mark.parametrize("stage", [held, released, paid_out])
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_evidence_is_sent_at_every_stage_and_the_bank_decides(database: Database, stage: Stage, outcome: str) -> None:
    async def story(street: Street) -> None:
        transaction_id = await stage(street)
        dispute = await street.dispute(transaction_id)
        transaction = await work(street, transaction_id)
        assert street.there(dispute).status == "awaiting-bank-feedback"
        assert street.there(dispute).resolution == "declined"
        answer = answer_of(transaction)
        assert answer is not None
        assert uploaded(street, dispute).sha256 == answer.evidence_sha256
        assert uploaded(street, dispute).media_type == "application/pdf"
        assert answer.evidence_refs[:2] == (
            f"sha256:{answer.evidence_sha256}",
            f"file:{uploaded(street, dispute).file_name}",
        )
        await street.pass_time(hours=20)
        assert (await street.poll(transaction_id)).has_open_dispute
        await street.decide(dispute, outcome)
        for _ in range(2):
            transaction = await street.poll(transaction_id)
        await require_answered_once(street, transaction_id, dispute)
        (closed,) = transaction.disputes.values()
        assert closed.finding is (Finding.PROCESSOR_WON if outcome == "won" else Finding.PROCESSOR_LOST)
        assert transaction.charged_back_minor == (0 if outcome == "won" else 100_000)
        assert transaction.balances[Account.SELLER_RECEIVABLE] == (
            90_000 if outcome == "lost" and stage is paid_out else 0
        )
        if outcome == "won" and stage is not held:
            assert transaction.phase is Phase.COMPLETED

    tell(database.app_dsn, story)


def test_what_was_only_shown_is_answered_four_hours_before_it_is_due(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await shown(street)
        dispute = await street.dispute(transaction_id)
        await work(street, transaction_id)
        await street.pass_time(hours=HOURS_TO_DUE - 4, seconds=-1)
        await street.poll(transaction_id)
        assert street.answers(dispute) == 0
        await street.pass_time(seconds=1)
        await street.poll(transaction_id)
        await require_answered_once(street, transaction_id, dispute)

    tell(database.app_dsn, story)


def test_what_was_never_shown_is_left_to_people_who_are_told_twice(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await street.world.hold()
        dispute = await street.dispute(transaction_id)
        await work(street, transaction_id)
        await street.pass_time(hours=HOURS_TO_DUE - 3)
        await street.poll(transaction_id)
        assert len(await street.history(transaction_id, "dispute_opened", "dispute_escalated")) == 2
        await street.pass_time(hours=4)
        transaction = await street.poll(transaction_id)
        assert street.there(dispute).resolution == "auto-accepted"
        assert (transaction.phase, street.answers(dispute)) == (Phase.CHARGED_BACK, 0)

    tell(database.app_dsn, story)


def test_while_the_buyer_is_heard_here_nothing_is_answered(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await held(street)
        own = OpenDispute(dispute_id=street.world.escrow.new_id(), category=DisputeCategory.NOT_WORKING)
        await street.world.do(street.world.as_buyer, transaction_id, own)  # type: ignore[arg-type]
        dispute = await street.dispute(transaction_id)
        await work(street, transaction_id)
        assert street.answers(dispute) == 0
        assert await street.history(transaction_id, ORDERED) == []

    tell(database.app_dsn, story)


def test_a_chargeback_that_nobody_told_of_is_found_and_answered(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await paid_out(street)
        dispute = await street.dispute(transaction_id)
        await street.poll(transaction_id)
        await require_answered_once(street, transaction_id, dispute)

    tell(database.app_dsn, story)


@pytest.mark.parametrize("stage", [held, released, paid_out])
def test_one_accepted_by_silence_while_the_worker_was_down_is_booked_once(database: Database, stage: Stage) -> None:
    async def story(street: Street) -> None:
        transaction_id = await stage(street)
        dispute = await street.dispute(transaction_id)
        await street.pass_time(hours=HOURS_TO_DUE + 1)
        for _ in range(2):
            transaction = await street.poll(transaction_id)
        assert street.there(dispute).resolution == "auto-accepted"
        assert (transaction.phase, transaction.charged_back_minor) == (Phase.CHARGED_BACK, 100_000)
        assert (street.answers(dispute), answer_of(transaction)) == (0, None)
        assert len(await street.history(transaction_id, "chargeback_lost")) == 1

    tell(database.app_dsn, story)


def test_an_answer_given_by_a_person_there_is_recorded_and_none_on_top(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await shown(street)
        dispute = await street.dispute(transaction_id)
        await work(street, transaction_id)
        real = street.world.tools.gateway
        target = await real.open_upload(dispute.id)
        await real.upload(target, b"%PDF-1.4 by hand", "application/pdf")
        body = {"resolution": "declined", "message": "No", "refund_amount": 0, "uploaded_filename": target.file_name}
        key = {"Authorization": "Bearer sk_test_0123456789abcdef"}
        said = await street.world.panel.put(f"/dispute/{dispute.id}/resolve", json=body, headers=key)
        assert said.status_code == 200, said.text
        await street.pass_time(hours=HOURS_TO_DUE - 1)
        transaction = await street.poll(transaction_id)
        answer = answer_of(transaction)
        assert answer is not None
        assert (answer.status, answer.evidence_sha256) == (AnswerStatus.SENT, None)
        assert answer.evidence_refs == (f"file:{target.file_name}",)
        assert street.answers(dispute) == 1
        assert await street.history(transaction_id, ORDERED, "dispute_escalated") == []

    tell(database.app_dsn, story)


def test_a_refused_answer_is_for_a_person_and_not_given_again(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await paid_out(street)
        dispute = await street.dispute(transaction_id)
        await street.world.fault("resolve_dispute", "refuse", code="not_today")
        for _ in range(3):
            transaction = await work(street, transaction_id)
        answer = answer_of(transaction)
        assert answer is not None
        assert (answer.status, answer.failure) == (AnswerStatus.REFUSED, "not_today")
        assert street.answers(dispute) == 0
        await street.pass_time(hours=HOURS_TO_DUE - 2)
        await street.poll(transaction_id)
        assert len(await street.history(transaction_id, "dispute_escalated")) == 1

    tell(database.app_dsn, story)


@pytest.mark.parametrize("kind", ["500_after_commit", "garbage_after_commit", "500_before"])
@pytest.mark.parametrize("endpoint", ["resolve_dispute", "evidence", "upload_url", "fetch_dispute"])
def test_a_doubtful_call_is_settled_by_asking(database: Database, endpoint: str, kind: str) -> None:
    async def story(street: Street) -> None:
        transaction_id = await paid_out(street)
        dispute = await street.dispute(transaction_id)
        await work(street, transaction_id) if endpoint == "fetch_dispute" else None
        await street.world.fault(endpoint, kind)
        for _ in range(3):
            await street.worker.advance(transaction_id, is_disputed=False)
            await street.worker.poll_chargebacks()
        await require_answered_once(street, transaction_id, dispute)

    tell(database.app_dsn, story)


class Killer:
    """Stands before the processor and ends the caller once: at his call number `at`, before it goes out or after it."""

    def __init__(self, real: Processor) -> None:
        self._real = real
        self.at, self.is_after, self.calls = 0, False, 0

    def __getattr__(self, name: str) -> object:
        found = getattr(self._real, name)
        return self._deadly(found) if iscoroutinefunction(found) else found

    def _deadly(self, call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def called(*positional: object, **named: object) -> object:
            self.calls += 1
            is_last = self.calls == self.at
            if is_last and not self.is_after:
                raise asyncio.CancelledError
            answer = await call(*positional, **named)
            if is_last:
                raise asyncio.CancelledError
            return answer

        return called


@pytest.mark.parametrize("is_after", [False, True])
def test_the_worker_may_die_at_any_call_and_answers_once(database: Database, is_after: bool) -> None:
    async def begin() -> None:
        killers: list[Killer] = []

        def wrap(real: Processor) -> Processor:
            killers.append(Killer(real))
            return cast("Processor", killers[0])

        async with open_street(database.app_dsn, wrap) as street:
            killer = killers[0]
            for number in count(1):
                transaction_id = await paid_out(street)
                dispute = await street.dispute(transaction_id)
                killer.at, killer.is_after, killer.calls = number, is_after, 0
                await again(lambda found=transaction_id: work(street, found))
                calls, killer.at = killer.calls, 0
                await require_answered_once(street, transaction_id, dispute)
                answer = answer_of(await street.world.transaction(transaction_id))
                assert answer is not None
                assert uploaded(street, dispute).sha256 == answer.evidence_sha256
                if calls < number:
                    assert number > 8, "fewer calls than there are to be made"
                    return

    asyncio.run(begin())


def test_reminders_change_nothing_and_the_end_may_come_before_the_beginning(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await shown(street)
        dispute = await street.dispute(transaction_id)
        await street.pass_time(hours=9)
        (created,), reminders = street.letters("charge.dispute.create"), street.letters("charge.dispute.remind")
        assert len(reminders) == 2
        await street.decide(dispute, "lost")
        await street.pass_time(seconds=1)
        (resolved,) = street.letters("charge.dispute.resolve")
        await street.bring(resolved)
        transaction = await street.world.transaction(transaction_id)
        assert (transaction.phase, transaction.charged_back_minor) == (Phase.CHARGED_BACK, 100_000)
        version = transaction.version
        await street.bring(created, *reminders, resolved, created)
        assert (await street.world.transaction(transaction_id)).version == version

    tell(database.app_dsn, story)


def test_reminders_of_one_that_is_open_change_nothing(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await shown(street)
        await street.dispute(transaction_id)
        await street.pass_time(hours=9)
        await street.bring(*street.letters("charge.dispute.create"))
        version = (await street.world.transaction(transaction_id)).version
        assert json.loads(street.letters("charge.dispute.remind")[0])["data"]["status"] == "awaiting-merchant-feedback"
        await street.bring(*street.letters("charge.dispute.remind") * 2)
        assert (await street.world.transaction(transaction_id)).version == version

    tell(database.app_dsn, story)


def test_an_operator_sees_what_was_sent_and_what_was_refused(database: Database) -> None:
    async def story(street: Street) -> None:
        for fault in (None, "refuse"):
            transaction_id = await paid_out(street)
            await street.dispute(transaction_id)
            if fault:
                await street.world.fault("resolve_dispute", fault, code="not_today")
            await work(street, transaction_id)

    tell(database.app_dsn, story)
    fold(database)
    shown = "SELECT answer, answer_failure, evidence_sha256 IS NOT NULL, evidence_refs ~ '^sha256:' FROM disputes"
    assert read(database, f"{shown} ORDER BY opened_at, position") == [
        ("sent", None, True, True),
        ("refused", "not_today", True, None),
    ]
    refused = "SELECT severity, detail FROM alerts WHERE kind = 'chargeback_answer_refused'"
    assert read(database, refused) == [("P1", "not_today")]


def test_due_at_is_the_processors(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await shown(street)
        await street.dispute(transaction_id, due_seconds=5 * 3600)
        transaction = await work(street, transaction_id)
        (dispute,) = transaction.disputes.values()
        assert transaction.answer_due_at(dispute) == street.world.at + timedelta(hours=1)

    tell(database.app_dsn, story)


@pytest.mark.parametrize("is_numbered", [True, False])
def test_a_chargeback_of_another_payment_is_left_to_a_person(database: Database, is_numbered: bool) -> None:
    async def story(street: Street) -> None:
        transaction_id = await paid_out(street)
        dispute = await street.dispute(transaction_id)
        other = OfAnother(street.world.tools.gateway, is_numbered=is_numbered)
        street.world.tools = replace(street.world.tools, gateway=cast("Processor", other))
        transaction = await work(street, transaction_id)
        answer = answer_of(transaction)
        assert answer is not None
        assert (answer.status, answer.failure) == (AnswerStatus.REFUSED, "another_payment")
        assert street.answers(dispute) == 0

    tell(database.app_dsn, story)
