"""Your phone number: set, and a code sent to it by SMS."""

from api.codes import texter_of_codes
from api.dependencies import Dependencies
from identity.authenticator import Session
from identity.phone import send_phone_code, set_phone


async def change_phone(dependencies: Dependencies, session: Session, phone: str) -> None:
    """Set a number and send a code to it. Raises UnfitPhone, and what `text_code` raises."""
    async with dependencies.pool.connection() as connection, connection.transaction():
        await set_phone(connection, session.user_id, phone, at=dependencies.clock())
    await text_code(dependencies, session)


async def text_code(dependencies: Dependencies, session: Session) -> None:
    """Send a code to the number; none within a minute, none to a verified one. Raises as `send_phone_code`."""
    await send_phone_code(
        dependencies.pool,
        session.user_id,
        texter_of_codes(dependencies),
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
    )
