"""Making a key for a program."""

from datetime import timedelta

from api.access import act_as_auditor
from api.bodies import ApiKeyBody
from api.dependencies import Dependencies
from identity.api_key import ApiKey, NewKey, Scope, create_key
from identity.authenticator import Session


async def make_api_key(dependencies: Dependencies, session: Session, body: ApiKeyBody) -> tuple[ApiKey, str]:
    """Make a key for some of what its owner may do. Raises TooManyKeys; Forbidden for a scope that he lacks himself."""
    scopes = frozenset(body.scopes)
    if Scope.AUDIT in scopes:
        act_as_auditor(session)
    new = NewKey(
        name=body.name,
        mode=dependencies.webhook_secret.mode,
        scopes=scopes,
        lasts=timedelta(days=body.expires_in_days),
    )
    async with dependencies.pool.connection() as connection, connection.transaction():
        return await create_key(
            connection, session.user_id, new, at=dependencies.clock(), random_bytes=dependencies.random_bytes
        )
