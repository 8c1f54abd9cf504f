"""The worker as a whole: webhooks in, tables read, deadlines watched, and only one of it at a time."""

import asyncio
import hashlib
import json

import pytest

from domain.transaction.phase import Phase
from domain.webhook import Webhook, webhook_id
from gateways.paystack.webhook import signature
from reactions.inbox import SignatureWrong, receive
from reactions.refusals import Refusals
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.working import (
    beside,
    deliver,
    hang_transfers,
    read,
    until_contract,
    until_phase,
    until_rows,
    working,
)
from tests.reactions.world import SECRET, World, run

PATIENCE_SECONDS = 60.0


def test_without_any_webhook_the_worker_brings_a_sale_to_its_end(database: Database) -> None:
    async def tell(world: World) -> None:
        async with working(world, database.app_dsn):
            transaction_id = await world.open()
            await world.pay(transaction_id)
            await until_phase(world, transaction_id, Phase.FUNDS_HELD)
            await until_contract(world, transaction_id)
            await world.confirm(transaction_id)
            await until_phase(world, transaction_id, Phase.COMPLETED)
            assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, tell)


def test_a_webhook_is_kept_once_and_its_hash_stands_in_the_log(database: Database) -> None:
    body = b'{"event": "charge.success", "data": {"reference": "ch-of-somebody-else"}}'

    async def tell(world: World) -> None:
        async with working(world, database.app_dsn):
            for _ in range(3):
                await deliver(world, body)
            await until_rows(database, "SELECT count(*) FROM payment_events WHERE processed_at IS NOT NULL", [(1,)])
            recorded = await world.escrow.get(Webhook, webhook_id(hashlib.sha256(body).digest()))
            assert recorded.body_sha256 == hashlib.sha256(body).hexdigest()

    run(database.app_dsn, tell)
    assert read(database, "SELECT deliveries, outcome, body FROM payment_events") == [(3, "unmatched", body)]
    assert read(database, "SELECT count(*) FROM escrow_events WHERE topic = 'webhook.received.v1'") == [(1,)]


@pytest.mark.guarantee("G15", faults="signatures that are missing, empty, wrong, or in upper case", runs="4 kinds")
@pytest.mark.parametrize("forged", [None, "", "0" * 128, "upper"])
def test_a_forged_webhook_leaves_a_counter_and_a_hash(database: Database, forged: str | None) -> None:
    body = b'{"event": "charge.success"}'
    header = signature(SECRET, body).upper() if forged == "upper" else forged

    async def tell(world: World) -> None:
        with pytest.raises(SignatureWrong):
            await receive(world.pool, SECRET, world.clock, body, header, Refusals())

    run(database.app_dsn, tell)
    assert read(database, "SELECT count(*) FROM payment_events") == [(0,)]
    refused = [(1, hashlib.sha256(body).digest())]
    assert read(database, "SELECT refused, last_body_sha256 FROM webhook_refusals") == refused


def test_two_workers_take_turns_and_pay_once(database: Database) -> None:
    async def tell(world: World) -> None:
        # Before they work: in one process the same order given twice at once is refused, not repeated.
        transaction_id = await world.hold()

        async with working(world, database.app_dsn), beside(Worker(world.tools, database.app_dsn).run()):
            await world.confirm(transaction_id)
            await until_phase(world, transaction_id, Phase.COMPLETED)
            assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, tell)


def test_a_transfer_that_is_taken_back_after_success_is_noticed(database: Database) -> None:
    async def tell(world: World) -> None:
        transaction_id = await world.hold()

        async with working(world, database.app_dsn):
            await world.confirm(transaction_id)
            await until_phase(world, transaction_id, Phase.COMPLETED)
            reference = next(iter((await world.transaction(transaction_id)).payouts))
            await world.panel.post(f"/_sim/transfers/{reference}", json={"status": "reversed"})
            await deliver(world, json.dumps({"event": "transfer.reversed", "data": {"reference": reference}}).encode())
            await until_phase(world, transaction_id, Phase.PAYOUT_FAILED)
            assert sum(await world.moved("transfer") + await world.moved("transfer_returned")) == 0

    run(database.app_dsn, tell)


def test_a_call_that_hangs_holds_up_nobody_else(database: Database) -> None:
    async def tell(world: World) -> None:
        hanging = await world.hold()

        async with working(world, database.app_dsn), asyncio.timeout(PATIENCE_SECONDS):
            called = hang_transfers(world)
            await world.confirm(hanging)
            await called.wait()
            for _ in range(3):
                other = await world.open()
                await world.pay(other)
                await until_phase(world, other, Phase.FUNDS_HELD)
                charge = (await world.transaction(hanging)).payment_reference
                body = {"event": "charge.success", "data": {"reference": charge, "nonce": next(world.numbers)}}
                await deliver(world, json.dumps(body).encode())

    run(database.app_dsn, tell)
