"""What the settings become: Paystack's calls are spaced, however its address is written."""

import asyncio

import pytest

from cli.wiring import limiter_of
from gateways.errors import GatewayThrottled
from gateways.paystack.limiter import Budget

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
