"""A forgotten password: asked for by mail, its price shown before it is confirmed; then everything begins anew."""

from typing import NamedTuple
from uuid import UUID

from api.bodies import ResetBody
from api.codes import mailer_of_codes
from api.dependencies import Dependencies
from api.errors import SecondFactorRequired
from api.reads.waiting import wait_for_position
from api.views.password_reset import LossView, ResetView
from database.connect import Connection
from database.queries import load
from domain.errors import NotFound, Refused
from domain.listing import Listing
from domain.transaction import Transaction
from domain.vault import DepositStatus, Vault
from eventstore.log import get_head
from identity.keypair import KeyPair, get_key_pair
from identity.mail_ask import Asker, count_ask
from identity.password import Enrolment
from identity.password_reset import find_reset, finish_reset, send_reset
from identity.recovery_key import RecoveryKey, find_recovery_key
from identity.role import list_roles
from identity.second_factor import NEEDS_SECOND_FACTOR, count_proof, get_second_factor, take_proof
from vault.grant import Purpose
from vault.recovery_key import RecoveryKeyRefused

SQL = load("api.flows", "password_reset.sql")


class LossesNotAccepted(Refused):
    """With this password credentials are lost for good. Look at them with dry_run=true, then send accept_losses, or use
    your recovery key."""

    code = "losses_not_accepted"


class Owner(NamedTuple):
    """Whom a token belongs to: the keys, and what it takes to replace them."""

    key_pair: KeyPair
    recovery_key: RecoveryKey | None
    needs_second_factor: bool


async def ask_for_reset(dependencies: Dependencies, email: str, address: str) -> None:
    """Mail a token, if there is such an account: later, so that not even the time tells.

    Raises UnfitEmail, TooManyTries, TooManyErrands.
    """
    at, pool = dependencies.clock(), dependencies.pool
    known_as = await count_ask(pool, "reset", email, Asker(address=address, key=dependencies.shared_key), at=at)
    sending = send_reset(pool, known_as, mailer_of_codes(dependencies), at=at, random_bytes=dependencies.random_bytes)
    dependencies.errands.begin("password_reset", sending)


async def preview_reset(dependencies: Dependencies, body: ResetBody) -> ResetView:
    """Return what the reset would do; the token stays good. Raises ResetRefused and PositionNotReached."""
    owner = await _find(dependencies, body.token)
    return await _foresee(dependencies, owner, keeps_keys=body.recovery_key is not None)


async def reset_password(dependencies: Dependencies, body: ResetBody) -> ResetView:
    """Put the new password in force, and end every session and every API key.

    Raises ResetRefused, PositionNotReached, LossesNotAccepted, SecondFactorRequired, CodeRefused, RecoveryKeyRefused,
    UnfitPassword, TooManyTries, and TooManySignIns before anything is asked of the database; after each of them nothing
    has changed.
    """
    with dependencies.locksmith.enter(None):
        reset, user_id = await _reset(dependencies, body)
    dependencies.authenticator.forget(user_id)
    return reset


async def _reset(dependencies: Dependencies, body: ResetBody) -> tuple[ResetView, UUID]:
    owner = await _find(dependencies, body.token)
    reset = await _foresee(dependencies, owner, keeps_keys=body.recovery_key is not None)
    if reset.losses and not body.accept_losses:
        raise LossesNotAccepted(losses=len(reset.losses))
    await _finish(dependencies, body, owner)
    return reset.model_copy(update={"is_done": True}), owner.key_pair.user_id


async def _find(dependencies: Dependencies, token: str) -> Owner:
    async with dependencies.pool.connection() as connection:
        user_id = await find_reset(connection, token, at=dependencies.clock())
        return Owner(
            key_pair=await get_key_pair(connection, user_id),
            recovery_key=await find_recovery_key(connection, user_id),
            needs_second_factor=await _needs_second_factor(connection, user_id),
        )


async def _needs_second_factor(connection: Connection, user_id: UUID) -> bool:
    """Whether the mailbox is too little: for everybody who was given a factor, and for staff even without one.

    Staff without any get one from whoever runs the server, with `escrow user second-factor`.
    """
    if (await get_second_factor(connection, user_id)).was_given:
        return True
    return not NEEDS_SECOND_FACTOR.isdisjoint(await list_roles(connection, user_id))


async def _foresee(dependencies: Dependencies, owner: Owner, *, keeps_keys: bool) -> ResetView:
    losses = [] if keeps_keys else await list_losses(dependencies, owner.key_pair)
    return ResetView(
        is_done=False,
        losses=losses,
        needs_second_factor=owner.needs_second_factor,
        has_recovery_key=owner.recovery_key is not None,
    )


async def _finish(dependencies: Dependencies, body: ResetBody, owner: Owner) -> None:
    key_pair, at = owner.key_pair, dependencies.clock()
    if owner.needs_second_factor and body.code is None and body.recovery_code is None:
        raise SecondFactorRequired

    async def prove(connection: Connection) -> None:
        if owner.needs_second_factor:
            await take_proof(
                connection,
                dependencies.locksmith,
                key_pair.user_id,
                code=body.code,
                recovery_code=body.recovery_code,
                at=at,
            )

    # No connection is held while Argon2 works, and no code is used up for a password that is unfit.
    made = await _make(dependencies, body, owner)
    if owner.needs_second_factor:
        await count_proof(dependencies.pool, key_pair.user_id, at=at)
    await finish_reset(dependencies.pool, body.token, key_pair, made, prove, at=at)


async def _make(dependencies: Dependencies, body: ResetBody, owner: Owner) -> Enrolment:
    key_pair = owner.key_pair
    if body.recovery_key is None:
        return await dependencies.locksmith.enrol(
            key_pair.user_id, body.new_password, key_version=key_pair.key_version + 1
        )
    if owner.recovery_key is None:
        raise RecoveryKeyRefused
    return await dependencies.locksmith.recover(body.recovery_key, body.new_password, owner.recovery_key, key_pair)


async def list_losses(dependencies: Dependencies, key_pair: KeyPair) -> list[LossView]:
    """Return what only this key opens: deposits that were not handed over, and what waits for its owner's reveal.

    Raises PositionNotReached while the table of transactions lags: what it does not hold yet would be lost unasked.
    """
    await wait_for_position(dependencies, await get_head(dependencies.pool), "transactions")
    facts = {"user_id": key_pair.user_id, "fingerprint": key_pair.fingerprint}
    async with dependencies.pool.connection() as connection:
        grants = await (await connection.execute(SQL.list_grants, facts)).fetchall()
        bought = await (await connection.execute(SQL.list_bought, facts)).fetchall()
    sold = [
        await _lost_by_seller(dependencies, deposit) for purpose, deposit, _ in grants if purpose == Purpose.CUSTODY
    ]
    waiting = dict.fromkeys(
        [*(transaction for _, _, transaction in grants if transaction), *(row[0] for row in bought)]
    )
    seen = [await _lost_by_buyer(dependencies, transaction, key_pair.fingerprint) for transaction in waiting]
    return [loss for loss in (*sold, *seen) if loss is not None]


async def _lost_by_seller(dependencies: Dependencies, vault_id: UUID) -> LossView | None:
    escrow = dependencies.escrow
    try:
        deposit = await escrow.get(Vault, vault_id)
    except NotFound:  # granted in an attempt that came to nothing
        return None
    listing = await escrow.get(Listing, deposit.listing_id)
    if deposit.status is not DepositStatus.SEALED or listing.vault_id != vault_id:
        return None
    if listing.transaction_id is None:
        return LossView(listing_id=listing.id, transaction_id=None, role="seller")
    transaction = await escrow.get(Transaction, listing.transaction_id)
    if transaction.is_handed_over:
        return None
    return LossView(listing_id=listing.id, transaction_id=transaction.id, role="seller")


async def _lost_by_buyer(dependencies: Dependencies, transaction_id: UUID, fingerprint: str) -> LossView | None:
    transaction = await dependencies.escrow.get(Transaction, transaction_id)
    if not transaction.needs_buyer_key(fingerprint):
        return None
    return LossView(listing_id=transaction.listing_id, transaction_id=transaction_id, role="buyer")
