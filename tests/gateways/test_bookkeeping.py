"""The lists that reconciliation reads, over the stand-in: every page, every kind, or nothing."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from domain.money import Currency, Money
from gateways.bookkeeping import BalanceCause, SettlementStatus
from gateways.errors import GatewayError
from gateways.payment import ChargeStatus, NewCharge, NewRecipient, NewTransfer
from gateways.paystack.client import Paystack
from gateways.paystack.http import Retries
from gateways.paystack.limiter import UNLIMITED_PER_MINUTE, Limiter
from gateways.paystack.secret import SecretKey
from gateways.paystack.sim.server import StandIn, build_sim

SECRET = SecretKey("sk_test_0123456789abcdef")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CHARGES = 105
PRICE = Money(100_000, Currency.KES)


async def pay(gateway: Paystack, panel: httpx.AsyncClient, number: int) -> None:
    link = await gateway.initialize(NewCharge(reference=f"ch-{number:040d}", amount=PRICE, email="a@example.com"))
    answer = await panel.post(link.authorization_url, json={"outcome": "success"})
    assert answer.status_code == 200


async def pay_out(gateway: Paystack) -> None:
    person = NewRecipient(
        type="mobile_money", name="A", account_number="0712345678", bank_code="MPESA", currency=Currency.KES
    )
    recipient = await gateway.create_recipient(person)
    amount = Money(90_000, Currency.KES)
    transfer = NewTransfer(reference=f"po-{1:040d}", recipient_code=recipient.recipient_code, amount=amount, reason="r")
    await gateway.initiate_transfer(transfer)


async def tell() -> None:
    with StandIn(build_sim(secret=SECRET, seed=1)) as stand_in:
        limiter, once = Limiter(UNLIMITED_PER_MINUTE), Retries(attempts=1)
        async with (
            Paystack.connect(secret=SECRET, base_url=stand_in.base_url, limiter=limiter, retries=once) as gateway,
            httpx.AsyncClient(base_url=stand_in.base_url, trust_env=False) as panel,
        ):
            for number in range(CHARGES):
                await pay(gateway, panel, number)
            await pay_out(gateway)
            await check(gateway)
            fault = {"endpoint": "list_charges", "kind": "500_before"}
            assert (await panel.post("/_sim/faults", json=fault)).status_code == 201
            with pytest.raises(GatewayError):
                await gateway.list_charges(since=LONG_AGO)


async def check(gateway: Paystack) -> None:
    charges = await gateway.list_charges(since=LONG_AGO)
    assert len({charge.reference for charge in charges}) == len(charges) == CHARGES
    assert {charge.status for charge in charges} == {ChargeStatus.SUCCESS}
    (transfer,) = await gateway.list_transfers(since=LONG_AGO)
    settlements = await gateway.list_settlements(since=LONG_AGO)
    assert {settlement.status for settlement in settlements} == {SettlementStatus.SUCCESS}
    assert sum(each.total_minor for each in settlements) == CHARGES * PRICE.amount_minor
    settled = [c for each in settlements for c in await gateway.list_settled_charges(each.processor_id)]
    assert {charge.processor_id for charge in settled} == {charge.processor_id for charge in charges}
    entries = await gateway.list_balance_entries(since=LONG_AGO)
    (balance,) = [each for each in await gateway.balance() if each.currency == "KES"]
    assert sum(entry.difference_minor for entry in entries) == balance.balance_minor == entries[-1].balance_minor
    causes = {(e.cause, e.cause_id) for e in entries if e.cause is BalanceCause.TRANSFER}
    assert causes == {(BalanceCause.TRANSFER, transfer.processor_id)}
    assert await gateway.list_charges(since=datetime(2999, 1, 1, tzinfo=UTC)) == ()


def test_every_page_of_every_list_is_read_or_nothing_is_concluded() -> None:
    asyncio.run(tell())
