"""The buyer's bank wants the money back, and decides."""

from uuid import UUID

from tests.reactions.world import World


async def dispute(world: World, transaction_id: UUID, **details: int) -> tuple[str, str]:
    """The buyer's bank wants the money back; return the charge and the dispute."""
    reference = (await world.transaction(transaction_id)).payment_reference or ""
    answer = await world.panel.post("/_sim/disputes", json={"reference": reference, **details})
    assert answer.status_code == 201, answer.text
    return reference, str(answer.json()["id"])


async def decide(world: World, dispute_id: str, outcome: str, **words: str) -> None:
    answer = await world.panel.post(f"/_sim/disputes/{dispute_id}", json={"outcome": outcome, **words})
    assert answer.status_code == 200, answer.text
