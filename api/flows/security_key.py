"""Registering a security key, and asking it to sign."""

from api.dependencies import Dependencies
from api.flows.second_factor import require_owner, require_person, site_of
from identity.authenticator import Session
from identity.second_factor import begin_with_key
from identity.security_key import Holder, SecurityKey, begin_confirmation, begin_registration
from identity.user import get_user
from identity.webauthn import Json


async def propose_key(dependencies: Dependencies, session: Session, password: str) -> Json:
    """Return what a browser needs to register a key. Raises what `require_owner` raises, NoPublicUrl and
    TooManySecurityKeys."""
    site = site_of(dependencies)
    await require_owner(dependencies, session, password)
    async with dependencies.pool.connection() as connection:
        user = await get_user(connection, session.user_id)
        holder = Holder(session_id=session.id, user_id=user.id, account=user.email or str(user.id))
        return await begin_registration(
            connection, site, holder, at=dependencies.clock(), random_bytes=dependencies.random_bytes
        )


async def register_key(
    dependencies: Dependencies, session: Session, name: str, answer: Json
) -> tuple[SecurityKey, tuple[str, ...]]:
    """Take the key that answered into use; return recovery codes too if there were none. Raises what
    `begin_with_key` and `require_person` raise."""
    await require_person(dependencies, session)
    made = await begin_with_key(
        dependencies.pool,
        site_of(dependencies),
        session.id,
        session.user_id,
        name,
        answer,
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
    )
    dependencies.authenticator.forget(session.user_id)
    return made


async def challenge_key(dependencies: Dependencies, session: Session) -> Json:
    """Return what a browser needs to have a key sign. Raises NoPublicUrl, NotFound."""
    site = site_of(dependencies)
    async with dependencies.pool.connection() as connection:
        return await begin_confirmation(
            connection,
            site,
            session.id,
            session.user_id,
            at=dependencies.clock(),
            random_bytes=dependencies.random_bytes,
        )
