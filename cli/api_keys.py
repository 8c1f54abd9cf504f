"""`escrow user keys`: which programs somebody lets in, and ending that."""

import asyncio
from uuid import UUID

from cli.clock import read_clock
from cli.database import running_server
from cli.output import print_json, print_table
from database.connect import Pool, open_pool, resolve_dsn
from database.settings import Settings
from domain.errors import NotFound
from identity.api_key import ApiKey, list_keys, revoke_key, revoke_keys
from identity.user import User, find_user

COLUMNS = ("id", "name", "mode", "ends_in", "scopes", "created_at", "expires_at", "last_used_at")


def list_or_revoke(*, email: str, key_id: str | None, every: bool, as_json: bool) -> None:
    """End one key or all, then print those that are good. Raises NotFound for an unknown user or key."""
    settings = Settings()
    with running_server(settings):
        user, keys = asyncio.run(_work(settings, email, _parse(key_id), every=every))
    rows = [_row(key) for key in keys]
    if as_json:
        print_json({"user_id": user.id, "keys": rows})
    else:
        print_table(rows, COLUMNS)


def _parse(key_id: str | None) -> UUID | None:
    try:
        return None if key_id is None else UUID(key_id)
    except ValueError:
        raise NotFound from None


async def _work(settings: Settings, email: str, key_id: UUID | None, *, every: bool) -> tuple[User, list[ApiKey]]:
    async with open_pool(resolve_dsn(settings, "app"), max_size=1, autocommit=True) as pool:
        user = await require_user(pool, email)
        async with pool.connection() as connection:
            if every:
                await revoke_keys(connection, user.id, read_clock())
            elif key_id is not None:
                await revoke_key(connection, user.id, key_id, read_clock())
            return user, await list_keys(connection, user.id, read_clock())


async def require_user(pool: Pool, email: str) -> User:
    """Return the user with this address. Raises NotFound."""
    async with pool.connection() as connection:
        user = await find_user(connection, email)
    if user is None:
        raise NotFound
    return user


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
