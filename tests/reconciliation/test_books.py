"""The processor's side is read completely, at one moment, or nothing is concluded."""

import dataclasses
from typing import Any

import pytest

from cli.failure import exit_code_of
from gateways.errors import GatewayUncertain
from reconciliation.books import TRIES, read_books
from tests.conftest import Database
from tests.reconciliation.world import LONG_AGO, Business, Tampered, run


class Busy:
    """A processor whose balance moves each time that it has been read, so many times."""

    def __init__(self, business: Business, movements: int) -> None:
        self._business = business
        self._processor = business.processor
        self._left = movements

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)

    async def balance(self) -> Any:
        found = await self._processor.balance()
        if self._left:
            self._left -= 1
            await self._business.world.top_up(1)
        return found


def test_lines_and_balance_are_of_one_moment_although_the_balance_moves_meanwhile(database: Database) -> None:
    async def story(business: Business) -> None:
        await business.sell(1)
        before = len(await business.processor.list_balance_entries(since=LONG_AGO))
        books = await read_books(Busy(business, TRIES - 1), LONG_AGO)
        assert len({entry.processor_id for entry in books.entries}) == len(books.entries) == before + TRIES - 1
        assert books.balances == await business.processor.balance()

    run(database, story)


def test_of_a_balance_that_never_stands_still_nothing_is_concluded(database: Database) -> None:
    async def story(business: Business) -> None:
        await business.sell(1)
        business.processor = Busy(business, TRIES)
        with pytest.raises(GatewayUncertain) as failed:
            await business.reconcile()
        assert exit_code_of(failed.value) == 4
        assert (await business.reconcile()).reconciliation_id is not None

    run(database, story)


def without_ids(transfers: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dataclasses.replace(each, processor_id=None) for each in transfers)


def test_two_transfers_whose_id_the_processor_does_not_say_are_two(database: Database) -> None:
    async def story(business: Business) -> None:
        for _ in range(2):
            await business.sell(4)
        books = await read_books(Tampered(business.processor, "list_transfers", without_ids), LONG_AGO)
        assert len({each.reference for each in books.transfers}) == 2

    run(database, story)
