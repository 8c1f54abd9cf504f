"""After a restore: what was ended since the backup lets nobody in again, and whoever signs in afterwards stays."""

from datetime import timedelta

import pytest

from database.connect import Pool
from identity.api_key import NewKey, Scope, create_key
from identity.authenticator import Authenticator
from identity.email_code import CodeRefused, confirm_code, send_code
from identity.restored import revoke_all_api_keys, sign_everybody_out
from identity.session import NotSignedIn, logout, refresh
from tests.identity.conftest import Desk
from tests.identity.mailbox import Mailbox

EMAIL = "amina@example.com"
NEW = NewKey(name="till", mode="test", scopes=frozenset({Scope.READ}), lasts=timedelta(days=90))


async def restore_sessions(pool: Pool) -> None:
    """What a backup from before a sign-out does to it."""
    async with pool.connection() as connection:
        await connection.execute("UPDATE sessions SET revoked_at = NULL, revoked_because = NULL")


def test_a_session_that_a_backup_brings_back_lets_nobody_in(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        before = await desk.sign_in(pool)
        async with pool.connection() as connection:
            await logout(connection, before.session_id, desk.at)
        await restore_sessions(pool)
        desk.wait(minutes=5)
        noticed_at = desk.at
        desk.wait(minutes=1)
        since = await desk.sign_in(pool)

        assert (await sign_everybody_out(pool, noticed_at, desk.at)).sessions == 1
        door = Authenticator(pool, desk.clock)
        with pytest.raises(NotSignedIn):
            await door.authenticate(before.access_token)
        with pytest.raises(NotSignedIn):
            await refresh(
                pool,
                before.refresh_token,
                at=desk.at,
                random_bytes=desk.random.randbytes,
                lifetimes=desk.lifetimes,
            )
        assert await door.authenticate(since.access_token)
        assert (await sign_everybody_out(pool, noticed_at, desk.at)).sessions == 0

    desk.run(scenario)


def test_a_code_that_was_mailed_before_is_good_no_more(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        user = await desk.create(pool)
        await send_code(pool, user, mailbox.send, at=desk.at, random_bytes=desk.random.randbytes)
        desk.wait(minutes=1)
        assert (await sign_everybody_out(pool, desk.at, desk.at)).codes == 1
        with pytest.raises(CodeRefused):
            await confirm_code(pool, EMAIL, mailbox.codes[0], at=desk.at)

    desk.run(scenario)


def test_keys_for_programs_are_revoked_where_they_are_older(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        user = await desk.create(pool)
        tokens = []
        for _ in range(2):
            async with pool.connection() as connection, connection.transaction():
                tokens.append(
                    (await create_key(connection, user.id, NEW, at=desk.at, random_bytes=desk.random.randbytes))[1]
                )
            desk.wait(minutes=1)
        assert await revoke_all_api_keys(pool, desk.at - timedelta(minutes=1), desk.at) == 1
        door = Authenticator(pool, desk.clock)
        with pytest.raises(NotSignedIn):
            await door.authenticate(tokens[0])
        assert await door.authenticate(tokens[1])

    desk.run(scenario)
