"""What `escrow restored` does: the brake after a restore, put on by hand, and lifted for one payment."""

from uuid import UUID

from cli.connection import prepare_database, run_as, running_server
from cli.operator import OPERATOR, run_on_log
from cli.output import report
from database.clock import read_clock
from database.connect import Pool
from database.settings import Settings
from database.standstill import begin_standstill, find_standstill
from domain.errors import Invalid, NotFound
from domain.reason import require_reason
from domain.restore import RestoreCause
from eventstore.escrow import Escrow
from identity.restored import revoke_all_api_keys, sign_everybody_out
from projections.external_payment import find_open_payment
from reactions.hold import settle


class LiftMissing(Invalid):
    """A reason is for --lift, which names what may go on; without it all money would stop. Nothing was done."""

    code = "lift_missing"


def run_restored(*, keeps_api_keys: bool, as_json: bool) -> None:
    """Let no money move until the worker has held the log against the processor, and let nobody in by what came back.

    Twice is the same as once.
    """
    settings = Settings()
    with running_server(settings):
        prepare_database(settings)
        facts = run_as("app", settings, lambda pool: _order(pool, keeps_api_keys=keeps_api_keys))
    ended = "ended: {sessions} sessions, {codes} codes on their way, {api_keys} API keys".format(**facts)
    waits = "no money moves until `escrow worker` has held the log against the processor"
    report(facts, f"{waits}\n{ended}", as_json=as_json)


async def _order(pool: Pool, *, keeps_api_keys: bool) -> dict[str, object]:
    at = read_clock()
    await order_comparison(pool)
    standstill = await find_standstill(pool, "restore")
    before = at if standstill is None else standstill.noticed_at
    out = await sign_everybody_out(pool, before, at)
    revoked = 0 if keeps_api_keys else await revoke_all_api_keys(pool, before, at)
    return {"waits_since": before, **out._asdict(), "api_keys": revoked}


async def order_comparison(pool: Pool) -> None:
    """Put the brake on; the worker takes it off."""
    await begin_standstill(pool, "restore", RestoreCause.ORDERED, read_clock())


def run_lift(reference: str, reason: str, *, as_json: bool) -> None:
    """Let the transaction of an external payment go on; raise `NotFound` when none is open under that name."""
    require_reason(reason)
    transaction_id = run_on_log(Settings(), lambda pool, escrow: _lift(pool, escrow, reference, reason))
    sentence = f"transaction {transaction_id} is no longer held back by {reference}"
    report({"transaction_id": transaction_id}, sentence, as_json=as_json)


async def _lift(pool: Pool, escrow: Escrow, reference: str, reason: str) -> UUID | None:
    found = await find_open_payment(pool, reference)
    if found is None:
        raise NotFound
    await settle(escrow, found, reason, OPERATOR)
    return found.transaction_id
