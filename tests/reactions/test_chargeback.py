"""A chargeback freezes the money, at whatever stage it comes; a lost one is booked once, a won one lets go."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from domain.journal import Account
from domain.listing.status import ListingStatus
from domain.transaction.phase import Phase
from domain.transaction.records import Finding, RefundStatus
from domain.transaction.staff_commands import ForceRefund
from gateways.chargeback import Chargeback
from gateways.payment import Charge, ChargeStatus
from reactions.advance import advance
from reactions.chargeback import record_found
from reactions.payment import confirm_charge
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.reactions.disputes import decide, dispute
from tests.reactions.working import deliver, until_phase, working
from tests.reactions.world import World, run


async def in_flight(world: World) -> UUID:
    transaction_id = await world.release()
    await world.fault("transfer", "pending")
    await world.advance(transaction_id)
    return transaction_id


async def paid_out(world: World) -> UUID:
    transaction_id = await world.release()
    await world.advance(transaction_id)
    return transaction_id


@pytest.mark.weakness("W16")
@pytest.mark.parametrize("stage", [World.hold, World.release, in_flight, paid_out])
@pytest.mark.parametrize("word", ["merchant-accepted", "auto-accepted", "declined"])
def test_a_lost_chargeback_is_booked_once_at_every_stage(database: Database, stage: object, word: str) -> None:
    async def story(world: World) -> None:
        transaction_id: UUID = await stage(world)  # type: ignore[operator]
        reference, dispute_id = await dispute(world, transaction_id)
        for _ in range(2):
            await advance(world.tools, transaction_id, reference, is_disputed=True)
        assert (await world.transaction(transaction_id)).has_open_dispute
        await decide(world, dispute_id, "lost", resolution=word)
        for _ in range(3):
            await advance(world.tools, transaction_id, reference, is_disputed=True)
        transaction = await world.transaction(transaction_id)
        assert transaction.phase is Phase.CHARGED_BACK
        assert transaction.charged_back_minor == 100_000
        sent = stage in (in_flight, paid_out)
        assert transaction.balances[Account.SELLER_RECEIVABLE] == (90_000 if sent else 0)
        assert await world.moved("transfer") == ([-90_000] if sent else [])

    run(database.app_dsn, story)


@pytest.mark.parametrize("stage", [World.hold, World.release, in_flight, paid_out])
def test_a_won_chargeback_lets_the_sale_go_on(database: Database, stage: object) -> None:
    async def story(world: World) -> None:
        transaction_id: UUID = await stage(world)  # type: ignore[operator]
        reference, dispute_id = await dispute(world, transaction_id)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await decide(world, dispute_id, "won")
        transaction = await world.advance(transaction_id)
        assert [one.finding for one in transaction.disputes.values()] == [Finding.PROCESSOR_WON]
        assert transaction.charged_back_minor == 0
        expected = {World.hold: Phase.FUNDS_HELD, in_flight: Phase.RELEASING}
        assert transaction.phase is expected.get(stage, Phase.COMPLETED)  # type: ignore[call-overload]

    run(database.app_dsn, story)


@pytest.mark.weakness("W16")
@pytest.mark.parametrize("told", [True, False])
def test_the_worker_hears_of_a_chargeback_by_webhook_and_without(
    database: Database, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not told:
        monkeypatch.setattr("reactions.worker.CHARGEBACK_SECONDS", 0.2)

    async def tell(world: World) -> None:
        transaction_id = await paid_out(world)

        async with working(world, database.app_dsn):
            reference, dispute_id = await dispute(world, transaction_id)
            if told:
                data = {"id": int(dispute_id), "transaction": {"reference": reference}}
                await deliver(world, json.dumps({"event": "charge.dispute.create", "data": data}).encode())
            await until_phase(world, transaction_id, Phase.DISPUTED) if told else None
            await decide(world, dispute_id, "lost")
            await until_phase(world, transaction_id, Phase.CHARGED_BACK)

    run(database.app_dsn, tell)


def test_the_refund_that_a_chargeback_made_is_not_taken_for_ours(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        reference, dispute_id = await dispute(world, transaction_id, amount_minor=50_000)
        await decide(world, dispute_id, "lost")
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        rest = ForceRefund(reason="the rest goes back as well", limit_usd_cents=10**9)
        await world.do(SUPER, transaction_id, rest)  # type: ignore[arg-type]
        for _ in range(3):
            transaction = await world.advance(transaction_id)
        assert [refund.status for refund in transaction.refunds.values()] == [RefundStatus.PROCESSED]
        assert await world.moved("refund") == [-50_000]
        assert transaction.is_flat

    run(database.app_dsn, story)


class SeesNoPayment:
    """A processor whose answer about a charge does not say yet that it was paid."""

    def __init__(self, real: Processor) -> None:
        self.real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def verify_charge(self, reference: str) -> Charge:
        return replace(await self.real.verify_charge(reference), status=ChargeStatus.PENDING)


def test_a_chargeback_of_a_payment_that_was_not_seen_neither_ends_the_sale_nor_frees_the_listing(
    database: Database,
) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.pay(transaction_id)
        real = world.tools.gateway
        world.tools = replace(world.tools, gateway=SeesNoPayment(real))  # type: ignore[arg-type]
        reference, dispute_id = await dispute(world, transaction_id)
        await decide(world, dispute_id, "lost")
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        transaction = await world.advance(transaction_id)
        assert (transaction.phase, transaction.charged_back_minor) == (Phase.DISPUTED, 0)
        assert (await world.listing_of(transaction_id)).status is ListingStatus.RESERVED
        world.tools = replace(world.tools, gateway=real)
        await advance(world.tools, transaction_id, reference)
        assert (await world.transaction(transaction_id)).phase is Phase.CHARGED_BACK

    run(database.app_dsn, story)


class NamesNoCharge:
    """A processor whose answer about a chargeback names its charge by reference only."""

    def __init__(self, real: Processor) -> None:
        self.real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    async def fetch_chargeback(self, processor_id: int) -> Chargeback:
        return replace(await self.real.fetch_chargeback(processor_id), charge_id=None)


async def underpay(world: World, transaction_id: UUID) -> None:
    page = await world.page(transaction_id)
    await world.fault("checkout", "other_amount", amount_minor=40_000, match={"reference": page.reference})
    answer = await world.panel.post(page.authorization_url, json={"outcome": "success"})
    assert answer.status_code == 200, answer.text


def test_a_chargeback_that_names_its_charge_by_reference_only_is_of_that_charge(database: Database) -> None:
    """Stray money came; what is charged back is the price, which the log has not heard of."""

    async def story(world: World) -> None:
        transaction_id = await world.open()
        await underpay(world, transaction_id)
        stray = (await world.transaction(transaction_id)).payment_reference or ""
        await confirm_charge(world.tools, await world.transaction(transaction_id), stray)
        await world.pay(transaction_id)
        reference, dispute_id = await dispute(world, transaction_id)
        await decide(world, dispute_id, "lost")
        tools = replace(world.tools, gateway=NamesNoCharge(world.tools.gateway))  # type: ignore[arg-type]
        found = await tools.gateway.fetch_chargeback(int(dispute_id))
        await record_found(tools, await world.transaction(transaction_id), found)
        transaction = await world.transaction(transaction_id)
        assert (transaction.phase, transaction.charged_back_minor) == (Phase.DISPUTED, 0)
        assert transaction.owed(Account.UNMATCHED_RECEIPTS) == 40_000
        await advance(tools, transaction_id, reference)
        transaction = await world.transaction(transaction_id)
        assert (transaction.phase, transaction.charged_back_minor) == (Phase.CHARGED_BACK, 100_000)
        assert transaction.balances[Account.LOSSES] == 0

    run(database.app_dsn, story)
