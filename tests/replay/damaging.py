"""Changing what stands in the log so that its hashes agree."""

import json

import psycopg

from tests.replay.conftest import Damage, Recorded

REHASH = """UPDATE escrow_events SET leaf_hash = public.leaf_hash_of(
    notification_id, originator_id, originator_version, topic, recorded_at, state) WHERE notification_id = %s"""


def read_state(recorded: Recorded, topic: str) -> tuple[int, dict[str, object]]:
    with psycopg.connect(recorded.database.owner_dsn) as connection:
        row = connection.execute(
            "SELECT notification_id, state FROM escrow_events WHERE topic = %s ORDER BY 1 LIMIT 1", (topic,)
        ).fetchone()
    assert row is not None
    return row[0], json.loads(row[1])


def rewrite(recorded: Recorded, damage: Damage, topic: str, **changes: object) -> int:
    """Change fields of the first event of a topic, leaf hash included: only what it means gives it away."""
    position, state = read_state(recorded, topic)
    text = json.dumps(state | changes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    damage("UPDATE escrow_events SET state = %s WHERE notification_id = %s", (text.encode(), position))
    damage(REHASH, (position,))
    return position


def lose_file(damage: Damage, relation: str) -> None:
    """Let a table or index have a file that is not there."""
    damage(
        "UPDATE pg_class SET relfilenode = (relfilenode::bigint + 7777777)::oid WHERE oid = %s::regclass", (relation,)
    )
