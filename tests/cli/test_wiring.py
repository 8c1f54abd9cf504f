"""What the settings become, however the addresses in them are written."""

import asyncio
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from cli.wiring import limiter_of, open_dependencies
from database.settings import Settings
from gateways.errors import GatewayThrottled
from gateways.paystack.limiter import Budget
from tests.conftest import Database

AT_ONCE = 100


@pytest.mark.parametrize(
    "address",
    ["https://api.paystack.co", "https://api.paystack.co/", "https://API.Paystack.co", "https://127.0.0.1.example"],
)
def test_calls_to_paystack_are_spaced_however_its_address_is_written(address: str) -> None:
    assert asyncio.run(refuses(address))


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://LOCALHOST:8000/", "http://[::1]:8000"])
def test_a_stand_in_on_this_machine_is_called_as_fast_as_one_likes(address: str) -> None:
    assert not asyncio.run(refuses(address))


async def refuses(address: str) -> bool:
    """Whether a hundred transfers at once are too many."""
    limiter = limiter_of(address)
    calls = [asyncio.ensure_future(limiter.take(Budget.TRANSFER)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    return any(isinstance(outcome, GatewayThrottled) for outcome in outcomes)


def test_all_processes_share_a_key_however_they_reach_the_database(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cursor that one has given out is read by all, and who tries passwords is counted once."""
    password = str(conninfo_to_dict(database.app_dsn)["password"])
    spellings = {"a": database.app_dsn, "b": make_conninfo(database.app_dsn, application_name="b")}
    keys = {
        name: asyncio.run(read_shared_key(url, tmp_path / name, tmp_path / "pepper")) for name, url in spellings.items()
    }
    monkeypatch.setenv("PGPASSWORD", password)
    keys["c"] = asyncio.run(
        read_shared_key(database.app_dsn.replace(f":{password}@", "@"), tmp_path / "c", tmp_path / "pepper")
    )
    assert len(set(keys.values())) == 1
    assert len(keys["a"]) == 32


async def read_shared_key(url: str, home: Path, pepper: Path) -> bytes:
    settings = Settings(
        database_url=SecretStr(url),
        escrow_home=home,
        escrow_pepper_file=pepper,
        paystack_secret_key=SecretStr("sk_test_0123456789abcdef"),
        paystack_base_url="http://127.0.0.1:1",
    )
    async with open_dependencies(settings) as dependencies:
        return dependencies.shared_key
