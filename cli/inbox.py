"""What `escrow webhooks` does. The list is read as the auditor; bodies and replays need the application's role."""

import json
from collections.abc import Sequence
from datetime import datetime

import typer

from api.query import read_choice, read_moment
from cli.books import read_in_pool
from cli.clock import read_clock
from cli.output import print_json, print_table, say, show_plainly
from database.connect import Pool
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
    wanted, begin = read_choice(DeliveryOutcome, outcome), _moment(since)

    async def read(pool: Pool) -> list[DeliveryRow]:
        return await list_deliveries(pool, outcome=wanted, since=begin, before=before, limit=limit)

    _print([row._asdict() for row in read_in_pool(read)], COLUMNS, "webhooks", as_json=as_json)


def show_delivery(delivery_id: int, *, as_json: bool) -> None:
    """Print a delivery and what may be seen of its body. Raises NotFound."""

    async def read(pool: Pool) -> tuple[DeliveryRow, bytes]:
        return await get_delivery(pool, delivery_id), await get_body(pool, delivery_id)

    row, raw = read_in_pool(read, "app")
    body = disclose(raw)
    if as_json:
        print_json({"webhook": row._asdict(), "body_bytes": len(raw), "body": json.loads(_dump(body))})
        return
    for name, value in row._asdict().items():
        if value is not None:
            print(f"{name:16} {show_plainly(str(value))}")
    print(f"\n{_dump(body)}" if body is not None else f"\n{len(raw)} bytes that are no JSON")


def _dump(body: object) -> str:
    return json.dumps(body, indent=2, ensure_ascii=True, default=str)


def replay_deliveries(delivery_id: int | None, *, unmatched: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Put deliveries back, once somebody has agreed. Raises NotFound and ReplayOfNothing."""
    if (delivery_id is None) is not unmatched:
        raise ReplayOfNothing
    rows = read_in_pool(lambda pool: _choose(pool, delivery_id))
    if not dry_run and rows and (yes or typer.confirm(f"Work off {len(rows)} again?")):
        replayed = read_in_pool(lambda pool: put_back(pool, [row.id for row in rows], read_clock()), "app")
    else:
        replayed = list[int]()
    if as_json:
        print_json({"webhooks": [row._asdict() for row in rows], "replayed": replayed})
        return
    print_table([row._asdict() for row in rows], COLUMNS)
    say(f"{len(replayed)} of {len(rows)} put back")


async def _choose(pool: Pool, delivery_id: int | None) -> list[DeliveryRow]:
    if delivery_id is not None:
        return [await get_delivery(pool, delivery_id)]
    return await list_deliveries(pool, outcome=DeliveryOutcome.UNMATCHED, limit=MOST_AT_ONCE)


def show_refused(*, since: str | None, limit: int, as_json: bool) -> None:
    """Print how many signatures were wrong, by minute. Raises QueryInvalid."""
    begin = _moment(since)
    rows = read_in_pool(lambda pool: list_refused(pool, since=begin, limit=limit))
    _print([row._asdict() for row in rows], RefusedRow._fields, "refused", as_json=as_json)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else read_moment(text)


def _print(rows: Sequence[dict[str, object]], columns: Sequence[str], name: str, *, as_json: bool) -> None:
    if as_json:
        print_json({name: rows})
    else:
        print_table(rows, columns)
