"""What nobody can read or open any more."""

from uuid import UUID

import psycopg

from domain.listing import Listing
from tests.conftest import Database
from tests.reactions.world import World
from vault.grant import Grant, store_grant

SPOIL = """
INSERT INTO escrow_events (originator_id, originator_version, topic, state, notification_id, recorded_at, leaf_hash)
SELECT
    %(id)s,
    (SELECT max(originator_version) + 1 FROM escrow_events WHERE originator_id = %(id)s),
    'transaction.never_heard_of.v1',
    '{}',
    max(notification_id) + 1,
    max(recorded_at),
    sha256('')
FROM escrow_events
"""


def spoil(database: Database, transaction_id: UUID) -> None:
    """Give a transaction an event that nobody can read."""
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(SPOIL, {"id": transaction_id})


async def lose_key(database: Database, world: World, listing: Listing, user_id: UUID) -> None:
    """Somebody could open a deposit, until the password was reset."""
    with psycopg.connect(database.superuser_dsn) as connection:
        retire = "UPDATE user_keys SET retired_at = %s WHERE user_id = %s RETURNING fingerprint"
        fingerprint = connection.execute(retire, (world.at, user_id)).fetchone()
    assert fingerprint is not None
    row = Grant(
        purpose="custody",
        transaction_id=None,
        listing_id=listing.id,
        deposit_id=listing.vault_id,
        deposit_version=1,
        user_id=user_id,
        suite="test",
        fingerprint=fingerprint[0],
        sealed=b"sealed",
    )
    async with world.pool.connection() as connection:
        await store_grant(connection, row)
