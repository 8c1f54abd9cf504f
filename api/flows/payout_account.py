"""Where a user is paid: asked at the bank, put into the log, then into the table; a change is used after a while."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from api.access import act
from api.dependencies import Dependencies
from domain.content import SALT_BYTES
from domain.errors import Invalid, NotFound
from domain.money import Currency
from domain.user import ChangePayoutAccount
from domain.user import User as LoggedUser
from eventstore.escrow import Request
from gateways.errors import GatewayError, GatewayRefused
from identity.authenticator import Session
from identity.erasure import require_unlocked
from identity.payout_account import (
    PayoutAccount,
    find_payout_account,
    hash_account,
    hash_kept_account,
    is_same_person,
    list_sharing,
    lock_payout_account,
    put_payout_account,
)
from identity.user import get_user

HOUR_SECONDS = 3600
RESOLVED = frozenset({Currency.NGN, Currency.GHS})
"""Paystack tells whose account it is for these currencies; for the others it has a list of banks."""


class PayoutAccountUnknown(Invalid):
    """The bank knows no such account, or Paystack no such bank: check bank_code and account_number."""

    code = "payout_account_unknown"


class Change(NamedTuple):
    """What became of it: the name that the bank has, whether it is his, and from when payouts go there."""

    resolved_name: str | None
    name_matches: bool | None
    usable_at: datetime | None


async def show_payout_account(dependencies: Dependencies, session: Session) -> tuple[PayoutAccount, datetime | None]:
    """Return where a user is paid, and from when. Raises NotFound where he named no account."""
    async with dependencies.pool.connection() as connection:
        account = await find_payout_account(connection, session.user_id)
    if account is None:
        raise NotFound
    return account, (await dependencies.escrow.get(LoggedUser, session.user_id)).payout_usable_at


async def change_payout_account(
    dependencies: Dependencies, session: Session, account: PayoutAccount, request_id: str
) -> Change:
    """Set where a user is paid. The same again changes nothing, unless the log does not vouch for what is kept.

    Raises PayoutAccountUnknown, and NotSignedIn for somebody whom an erasure has locked while the bank was asked.
    """
    user_id = session.user_id
    resolved = await _resolve(dependencies, account)
    async with dependencies.pair, dependencies.pool.connection() as connection, connection.transaction():
        await lock_payout_account(connection, user_id)
        await require_unlocked(connection, user_id)
        legal_name = (await get_user(connection, user_id)).legal_name
        matches = None if resolved is None else is_same_person(resolved, legal_name)
        before = await find_payout_account(connection, user_id)
        logged = await dependencies.escrow.get(LoggedUser, user_id)
        doubt = logged.doubt_account(await hash_kept_account(connection, user_id, before))
        if before != account or doubt is not None:
            salt = dependencies.random_bytes(SALT_BYTES)
            command = ChangePayoutAccount(
                account_sha256=hash_account(salt, account),
                is_first=before is None,
                cooling_seconds=dependencies.settings.escrow_payout_cooling_off_hours * HOUR_SECONDS,
                shared_with=await list_sharing(connection, user_id, account),
                name_matches=matches,
            )
            request = _request_of(session, logged.version, request_id)
            logged = (await dependencies.escrow.execute(user_id, command, request)).aggregate
            await put_payout_account(connection, user_id, account, dependencies.clock(), salt)
    return Change(resolved, matches, logged.payout_usable_at)


def _request_of(session: Session, version: int, request_id: str) -> Request:
    """Name nothing of the account: hashes of what is short give it away."""
    digest = hashlib.sha256(f"payout account of {session.user_id} at {version}".encode()).digest()
    return Request(actor=act(session), command_id=digest, digest=digest, request_id=request_id)


async def _resolve(dependencies: Dependencies, account: PayoutAccount) -> str | None:
    """Return the name that the bank has; None where it is not told, or cannot be asked now."""
    currency = Currency(account.currency)
    try:
        if currency in RESOLVED:
            holder = await dependencies.gateway.resolve_account(account.account_number, account.bank_code)
            return holder.account_name
        banks = await dependencies.banks.list(dependencies.gateway, currency, dependencies.clock())
    except GatewayRefused:
        raise PayoutAccountUnknown from None
    except GatewayError:
        return None
    if account.bank_code not in {bank.code for bank in banks}:
        raise PayoutAccountUnknown
    return None
