"""What is delivered with a good signature is kept, whatever it says."""

import asyncio
from datetime import UTC, datetime

import pytest

from database.connect import open_pool
from gateways.paystack.secret import SecretKey
from gateways.paystack.webhook import signature
from reactions.inbox import SignatureWrong, list_waiting, receive
from reactions.refusals import Refusals
from tests.conftest import Database

SECRET = SecretKey("sk_test_0123456789abcdef")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def _deliver(dsn: str, raw: bytes, signed: bytes) -> list[tuple[str, str | None]]:
    async with open_pool(dsn, max_size=2, autocommit=True) as pool:
        await receive(pool, SECRET, lambda: NOW, raw, signature(SECRET, signed), Refusals())
        async with pool.connection() as connection:
            return [(kept.event, kept.reference) for kept in await list_waiting(connection, lambda: NOW)]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"event":"charge.success","data":{"reference":"a\\ud800b"}}',
        b'{"event":"\\udfff","data":{}}',
        b'{"event":"a\\u0000b","data":{"reference":"a\\u0000b"}}',
        b"\xff\xfe",
        b"",
        b"[" * 100_000,
    ],
)
def test_no_signed_delivery_is_lost_because_of_what_it_says(database: Database, raw: bytes) -> None:
    assert len(asyncio.run(_deliver(database.app_dsn, raw, raw))) == 1


def test_the_same_bytes_are_kept_once(database: Database) -> None:
    raw = b'{"event":"charge.success","data":{"reference":"ch-1"}}'
    for _ in range(2):
        assert asyncio.run(_deliver(database.app_dsn, raw, raw)) == [("charge.success", "ch-1")]


def test_a_signature_over_other_bytes_is_refused(database: Database) -> None:
    with pytest.raises(SignatureWrong):
        asyncio.run(_deliver(database.app_dsn, b'{"event": "charge.success"}', b'{"event":"charge.success"}'))
