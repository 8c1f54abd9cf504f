"""What `escrow webhooks` does. The list is read as the auditor; bodies and replays need the application's role."""

import json
from collections.abc import Sequence

from api.http.query import read_choice, read_if_given, read_moment
from cli.connection import run_as
from cli.consent import require_consent
from cli.output import print_facts, print_json, print_rows, print_table, say
from database.clock import read_clock
from database.connect import Pool
from database.settings import Settings
from domain.errors import Invalid
from gateways.paystack.disclosure import disclose
from reactions.deliveries import (
    MOST_AT_ONCE,
    DeliveryOutcome,
    DeliveryRow,
    RefusedRow,
    get_body,
    get_delivery,
    list_deliveries,
    list_refused,
    put_back,
)

COLUMNS = ("id", "received_at", "event", "reference", "outcome", "deliveries", "attempts", "error")


class ReplayOfNothing(Invalid):
    """Say what to work off again: the number of one delivery, or --unmatched."""

    code = "replay_of_nothing"


def show_deliveries(*, outcome: str | None, since: str | None, before: int | None, limit: int, as_json: bool) -> None:
    """Print deliveries. Raises QueryInvalid."""
    wanted, begin = read_choice(DeliveryOutcome, outcome), read_if_given(read_moment, since)

    async def read(pool: Pool) -> list[DeliveryRow]:
        return await list_deliveries(pool, outcome=wanted, since=begin, before=before, limit=limit)

    rows = [row._asdict() for row in run_as("auditor", Settings(), read)]
    print_rows("webhooks", rows, COLUMNS, as_json=as_json)


def show_delivery(delivery_id: int, *, as_json: bool) -> None:
    """Print a delivery and what may be seen of its body. Raises NotFound."""

    async def read(pool: Pool) -> tuple[DeliveryRow, bytes]:
        return await get_delivery(pool, delivery_id), await get_body(pool, delivery_id)

    row, raw = run_as("app", Settings(), read)
    body = disclose(raw)
    if as_json:
        print_json({"webhook": row._asdict(), "body_bytes": len(raw), "body": json.loads(_dump(body))})
        return
    print_facts(row._asdict(), 16)
    print(f"\n{_describe(raw) if body is None else _dump(body)}")


def _describe(raw: bytes) -> str:
    return f"{len(raw)} bytes that are no JSON" if raw else "empty: a party was erased"


def _dump(body: object) -> str:
    return json.dumps(body, indent=2, ensure_ascii=True, default=str)


def replay_deliveries(delivery_id: int | None, *, unmatched: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Put deliveries back, once somebody has agreed. Raises NotFound and ReplayOfNothing."""
    if (delivery_id is None) is not unmatched:
        raise ReplayOfNothing
    rows = run_as("auditor", Settings(), lambda pool: _choose(pool, delivery_id))
    replayed = list[int]() if dry_run or not rows else _put_back([row.id for row in rows], yes=yes)
    if as_json:
        print_json({"webhooks": [row._asdict() for row in rows], "replayed": replayed})
        return
    print_table([row._asdict() for row in rows], COLUMNS)
    say(f"{len(replayed)} of {len(rows)} put back")


def _put_back(ids: Sequence[int], *, yes: bool) -> list[int]:
    require_consent(f"Work off {len(ids)} again?", given=yes)
    return run_as("app", Settings(), lambda pool: put_back(pool, ids, read_clock()))


async def _choose(pool: Pool, delivery_id: int | None) -> list[DeliveryRow]:
    if delivery_id is not None:
        return [await get_delivery(pool, delivery_id)]
    return await list_deliveries(pool, outcome=DeliveryOutcome.UNMATCHED, limit=MOST_AT_ONCE)


def show_refused(*, since: str | None, limit: int, as_json: bool) -> None:
    """Print how many signatures were wrong, by minute. Raises QueryInvalid."""
    begin = read_if_given(read_moment, since)
    rows = run_as("auditor", Settings(), lambda pool: list_refused(pool, since=begin, limit=limit))
    print_rows("refused", [row._asdict() for row in rows], RefusedRow._fields, as_json=as_json)
