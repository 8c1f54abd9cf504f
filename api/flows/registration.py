"""Registering: the account first, then its roles in the log, then the code by mail."""

import hashlib
from uuid import UUID

from api.bodies import RegisterBody, VerifyEmailBody
from api.codes import mailer_of_codes
from api.dependencies import Dependencies
from domain.actor import Actor, Role, reaction
from domain.errors import NotFound
from domain.user import RegisterUser
from domain.user import User as LoggedUser
from eventstore.escrow import Request
from identity.email_code import confirm_code, resend_code, send_code
from identity.mail_ask import Asker, count_ask
from identity.role import SELF_SERVICE
from identity.user import NewUser, User, get_user, register

REGISTRATION: Actor = reaction("registration")


async def register_user(dependencies: Dependencies, body: RegisterBody, request_id: str) -> User:
    """Create an account and send its code. Raises EmailTaken, TooManySignIns and what is unfit about the fields."""
    new = NewUser(
        email=body.email,
        display_name=body.display_name,
        legal_name=body.legal_name,
        phone=body.phone,
        roles=frozenset(body.roles) if body.roles else SELF_SERVICE,
    )
    at, random_bytes = dependencies.clock(), dependencies.random_bytes
    user = await register(
        dependencies.pool, dependencies.locksmith, new, body.password, at=at, random_bytes=random_bytes
    )
    await record_roles(dependencies, user.id, user.roles, request_id)
    await send_code(dependencies.pool, user, mailer_of_codes(dependencies), at=at, random_bytes=random_bytes)
    return user


async def ask_for_code(dependencies: Dependencies, email: str, address: str) -> None:
    """Mail another code, if an address waits for one: later, so that neither a failure nor the time tells.

    Raises UnfitEmail, TooManyTries, TooManyErrands.
    """
    at, pool = dependencies.clock(), dependencies.pool
    known_as = await count_ask(pool, "code", email, Asker(address=address, key=dependencies.shared_key), at=at)
    sending = resend_code(pool, known_as, mailer_of_codes(dependencies), at=at, random_bytes=dependencies.random_bytes)
    dependencies.errands.begin("resend_code", sending)


async def confirm_registration(dependencies: Dependencies, body: VerifyEmailBody, request_id: str) -> UUID:
    """Verify the address and return whose it is. Raises CodeRefused and UnfitEmail.

    What a registration that broke off has not recorded is recorded before the code is used up: whoever is verified
    gets no other one.
    """

    async def finish(user_id: UUID) -> None:
        await _finish(dependencies, user_id, request_id)

    return await confirm_code(dependencies.pool, body.email, body.code, at=dependencies.clock(), before=finish)


async def _finish(dependencies: Dependencies, user_id: UUID, request_id: str) -> None:
    """Without roles in the log nobody can be paid."""
    async with dependencies.pool.connection() as connection:
        user = await get_user(connection, user_id)
    await record_roles(dependencies, user_id, user.roles, request_id)


async def record_roles(dependencies: Dependencies, user_id: UUID, roles: frozenset[Role], request_id: str) -> None:
    """Put the first roles of a user into the log; a second time changes nothing."""
    try:
        await dependencies.escrow.get(LoggedUser, user_id)
    except NotFound:
        digest = hashlib.sha256(f"registration:{user_id}".encode()).digest()
        request = Request(actor=REGISTRATION, command_id=digest, digest=digest, request_id=request_id)
        await dependencies.escrow.execute(user_id, RegisterUser(roles=roles), request)
