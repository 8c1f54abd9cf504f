"""Every command that a difference prints can be pasted: it is understood, it runs, and it ends with success."""

import asyncio
import dataclasses
import shlex
from typing import Any

import pytest
import typer
from click import Context
from typer.testing import CliRunner

from cli.main import app
from domain.reconciliation import DifferenceKind as Kind
from gateways.bookkeeping import Settlement, SettlementStatus
from gateways.payment import Balance
from gateways.paystack.sim.state import Behaviour
from tests.conftest import Database
from tests.reconciliation.tampering import PLANTED, Change, first, kept, paid, with_another, without_first
from tests.reconciliation.world import Business, Tampered, run

change = dataclasses.replace
KEY = "sk_test_0123456789abcdef"
SALES = 10


def settled(settlement: Settlement) -> bool:
    return settlement.status is SettlementStatus.SUCCESS


def more(balances: tuple[Balance, ...]) -> tuple[Balance, ...]:
    return tuple(change(each, balance_minor=each.balance_minor + 777) for each in balances)


MORE_PLANTED: list[tuple[Kind, str, Change]] = [
    *PLANTED,
    (Kind.BALANCE, "balance", more),
    (Kind.MISSING_THERE, "list_settlements", without_first(settled)),
    (Kind.AMOUNT, "list_settlements", first(settled, effective_minor=1)),
    (Kind.CURRENCY, "list_settlements", first(settled, currency="XOF")),
    (Kind.CURRENCY, "list_charges", first(kept, currency="XOF")),
    (Kind.MISSING_HERE, "list_charges", with_another(kept, processor_id=99_009, reference="shop-2", currency="USD")),
    (Kind.MISSING_HERE, "list_charges", with_another(kept, processor_id=99_010, reference="shop-3", currency="XOF")),
    (Kind.CURRENCY, "list_transfers", first(paid, currency="XOF")),
    (Kind.CURRENCY, "list_balance_entries", first(lambda line: line.difference_minor == -90_000, currency="XOF")),
    (Kind.STATUS, "list_settlements", first(settled, status=SettlementStatus.FAILED)),
]


async def collect(business: Business) -> dict[str, set[Kind]]:
    """What is printed for each of them, by command."""
    found: dict[str, set[Kind]] = {}
    for _, name, tamper in MORE_PLANTED:
        honest, business.processor = business.processor, Tampered(business.processor, name, tamper)
        try:
            for difference in (await business.reconcile(dry=True)).outcome.differences:
                found.setdefault(difference.command, set()).add(difference.kind)
        finally:
            business.processor = honest
    return found


def address(business: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line meets the database and the stand-in of this test, and starts nothing of its own."""
    database = business.database
    dsn = {"owner": database.owner_dsn, "app": database.app_dsn, "auditor": database.auditor_dsn}
    for module in ("connection", "operator", "wiring"):
        monkeypatch.setattr(f"cli.{module}.resolve_dsn", lambda _settings, role: dsn[role])
    monkeypatch.setenv("DATABASE_URL", database.app_dsn)
    monkeypatch.setenv("PAYSTACK_BASE_URL", str(business.world.panel.base_url))
    monkeypatch.setenv("PAYSTACK_SECRET_KEY", KEY)


def understand(words: list[str]) -> None:
    """Parse it as the command line does; raises what a wrong option raises."""
    command: Any = typer.main.get_command(app)
    context = Context(command)
    while hasattr(command, "resolve_command"):
        name, found, words = command.resolve_command(context, words)
        context, command = Context(found, info_name=name, parent=context), found
    command.parse_args(context, words)


async def paste(line: str) -> None:
    for command in line.split(" && "):
        program, *words = shlex.split(command)
        assert program == "escrow"
        understand(list(words))
        done = await asyncio.to_thread(CliRunner().invoke, app, words)
        assert done.exit_code == 0, (command, done.exception, done.output)


@pytest.mark.timeout(300)
def test_every_command_that_is_printed_runs(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("ESCROW_HOME", str(tmp_path))

    async def story(business: Business) -> None:
        await business.trade(SALES)
        business.world.wait(hours=1)
        unbooked = (await business.reconcile(dry=True)).outcome.differences
        await business.reconcile()
        found = await collect(business)
        found |= {each.command: {each.kind} for each in unbooked}
        uncovered = set(Kind) - set().union(*found.values())
        assert uncovered <= {Kind.UNCLEARED, Kind.BANK}
        address(business, monkeypatch)
        for line in found:
            await paste(line)

    run(database, story, Behaviour())


def test_a_command_with_an_option_that_does_not_exist_is_noticed() -> None:
    understand(shlex.split('ledger record balance_over --currency KES --amount-minor 40 --evidence "account x"'))
    with pytest.raises(Exception, match="No such option"):
        understand(shlex.split("ledger entries paystack:balance --coin KES"))
