"""`escrow user keys`: which programs somebody lets in, and ending that."""

from uuid import UUID

from cli.connection import run_as
from cli.output import print_json, print_table
from cli.run.user import require_id, require_user
from database.clock import read_clock
from database.connect import Pool
from database.settings import Settings
from identity.api_key import ApiKey, list_keys, revoke_key, revoke_keys
from identity.user import User

COLUMNS = ("id", "name", "mode", "ends_in", "scopes", "created_at", "expires_at", "last_used_at")


def list_or_revoke(*, email: str, key_id: str | None, every: bool, as_json: bool) -> None:
    """End one key or all, then print those that are good. Raises NotFound for an unknown user or key."""
    named = None if key_id is None else require_id(key_id)
    user, keys = run_as("app", Settings(), lambda pool: _work(pool, email, named, every=every))
    rows = [_row(key) for key in keys]
    if as_json:
        print_json({"user_id": user.id, "keys": rows})
    else:
        print_table(rows, COLUMNS)


async def _work(pool: Pool, email: str, key_id: UUID | None, *, every: bool) -> tuple[User, list[ApiKey]]:
    user = await require_user(pool, email)
    async with pool.connection() as connection:
        if every:
            await revoke_keys(connection, user.id, read_clock())
        elif key_id is not None:
            await revoke_key(connection, user.id, key_id, read_clock())
        return user, await list_keys(connection, user.id, read_clock())


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "mode": key.mode,
        "ends_in": key.ends_in,
        "scopes": " ".join(key.scope_names),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
