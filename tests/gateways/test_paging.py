"""A list is complete or it is no list: what servers do to pages, and what is made of it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.money import Currency
from gateways.errors import GatewayUncertain
from gateways.payment import JsonObject
from gateways.paystack.client import Paystack
from tests.gateways.conftest import make_http
from tests.gateways.scripted import Reply, Scripted

pytestmark = pytest.mark.anyio

SINCE = datetime(2024, 8, 22, tzinfo=UTC)


def refunds(*numbers: int) -> Sequence[JsonObject]:
    return [{"id": number, "amount": "5", "currency": "KES", "status": "pending"} for number in numbers]


async def listed(*pages: Reply) -> tuple[list[int], Scripted]:
    async with Scripted(*pages) as server, Paystack(make_http(server.url)) as paystack:
        return [refund.processor_id for refund in await paystack.list_refunds(since=SINCE)], server


@pytest.mark.parametrize("total", [3, "3"])
async def test_a_server_that_gives_fewer_than_asked_for_is_asked_on(total: object) -> None:
    pages = [Reply(refunds(3, 2), meta={"total": total, "perPage": "2"}), Reply(refunds(1), meta={"total": total})]
    numbers, server = await listed(*pages)
    assert numbers == [3, 2, 1]
    assert [asked.query["page"] for asked in server.asked] == [["1"], ["2"]]


@pytest.mark.parametrize("meta", [None, [], {}, {"total": "many"}, {"total": None}, {"total": 1}])
async def test_without_a_count_to_trust_only_an_empty_page_is_the_end(meta: object) -> None:
    numbers, server = await listed(Reply(refunds(2, 1), meta=meta), Reply([], meta=meta))
    assert (numbers, len(server.asked)) == ([2, 1], 2)


async def test_what_is_created_meanwhile_is_seen_twice_or_not_at_all_and_nothing_older_is_missed() -> None:
    pages = [Reply(refunds(3, 2), meta={"total": 3}), Reply(refunds(2, 1), meta={"total": 4})]
    assert (await listed(*pages))[0] == [3, 2, 1]


async def test_a_cursor_is_followed_to_its_end() -> None:
    pages = [Reply(refunds(2), meta={"next": "abc", "total": 1}), Reply(refunds(1), meta={"next": None})]
    numbers, server = await listed(*pages)
    assert numbers == [2, 1]
    assert (server.asked[1].query["next"], "page" in server.asked[1].query) == (["abc"], False)


@pytest.mark.parametrize(
    "pages",
    [
        [Reply(refunds(2, 1), meta={"total": 5}), Reply([], meta={"total": 5})],
        [Reply(refunds(2, 1)), Reply(refunds(2, 1))],
        [Reply(refunds(1), meta={"next": "abc"}), Reply(refunds(1), meta={"next": "abc"})],
        [Reply({"0": refunds(1)})],
        [Reply([*refunds(1), None])],
        [Reply([*refunds(1), {"id": 2, "amount": 5.5, "currency": "KES"}])],
    ],
    ids=["breaks off", "repeats itself", "goes in circles", "no list", "a line is null", "an amount is no integer"],
)
async def test_a_list_that_cannot_be_complete_is_uncertain(pages: Sequence[Reply]) -> None:
    with pytest.raises(GatewayUncertain):
        await listed(*pages)


async def test_banks_without_pages_are_read_at_once() -> None:
    bank = {"id": "7", "name": "M-PESA", "code": "MPESA", "type": "mobile_money", "currency": "KES", "active": 1}
    async with Scripted(Reply([bank])) as server, Paystack(make_http(server.url)) as paystack:
        banks = await paystack.list_banks(Currency.KES)
    assert [(it.processor_id, it.code, it.is_active) for it in banks] == [(7, "MPESA", True)]
    assert server.asked[0].query["use_cursor"] == ["true"]
