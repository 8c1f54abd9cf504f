"""Where a user is paid: a bank account or mobile money, one per user."""

import re
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection
from database.queries import load
from domain.content import hash_content
from domain.errors import Invalid
from domain.money import PAYABLE
from identity.notification import tell_user

SQL = load("identity", "payout_account.sql")

TYPES = frozenset({"nuban", "ghipss", "mobile_money", "mobile_money_business", "basa", "kepss"})
"""Paystack's kinds of transfer recipient."""
CURRENCIES = frozenset(currency.value for currency in PAYABLE)
BANK_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
ACCOUNT_NUMBER = re.compile(r"\+?[A-Za-z0-9]{5,34}", re.ASCII)
LONGEST_NAME = 200
WORD = re.compile(r"[^\W_]+")


class UnfitPayoutAccount(Invalid):
    """This is not an account that Paystack could pay: see type, bank_code, account_number and account_name."""

    code = "unfit_payout_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutAccount:
    """A row of `payout_accounts`; `repr` shows no personal data. Raises UnfitPayoutAccount when it is made wrongly."""

    type: str
    bank_code: str
    account_number: str = field(repr=False)
    account_name: str = field(repr=False)
    currency: str

    def __post_init__(self) -> None:
        """Refuse what cannot be one; whether it exists, Paystack knows."""
        fits = (
            self.type in TYPES
            and BANK_CODE.fullmatch(self.bank_code)
            and ACCOUNT_NUMBER.fullmatch(self.account_number)
            and 1 <= len(self.account_name.strip()) <= LONGEST_NAME
            and self.account_name.isprintable()
            and self.currency in CURRENCIES
        )
        if not fits:
            raise UnfitPayoutAccount


async def put_payout_account(
    connection: Connection, user_id: UUID, account: PayoutAccount, at: datetime, salt: bytes | None = None
) -> None:
    """Set where a user is paid from now on; of a change the user is told. Call inside a transaction.

    `salt` is that of the hash in the log.
    """
    before = await find_payout_account(connection, user_id)
    if before is not None and before != account:
        await tell_user(connection, user_id, "payout_account_changed", at=at)
    await connection.execute(
        SQL.upsert_payout_account,
        {
            "user_id": user_id,
            "type": account.type,
            "bank_code": account.bank_code,
            "account_number": account.account_number,
            "account_name": account.account_name,
            "currency": account.currency,
            "at": at,
            "salt": salt,
        },
    )


async def find_payout_account(connection: Connection, user_id: UUID) -> PayoutAccount | None:
    """Where a user is paid, or None."""
    cursor = connection.cursor(row_factory=class_row(PayoutAccount))
    await cursor.execute(SQL.find_payout_account, (user_id,))
    return await cursor.fetchone()


async def hash_kept_account(connection: Connection, user_id: UUID, account: PayoutAccount | None) -> str | None:
    """Return the hash of the account that was found, as the log has it if it vouches for it; None without it or a salt.

    Read both in one transaction, with the account locked: else a change in between makes a hash of neither.
    """
    cursor = await connection.execute(SQL.find_salt, (user_id,))
    salt = await cursor.fetchone()
    return None if account is None or salt is None or salt[0] is None else hash_account(salt[0], account)


def hash_account(salt: bytes, account: PayoutAccount) -> str:
    """Return the salted hash of an account that stands in the log."""
    return hash_content(salt, asdict(account))


async def lock_payout_account(connection: Connection, user_id: UUID) -> None:
    """Keep others from changing where a user is paid, until the end of the transaction."""
    await connection.execute(SQL.lock_user, (user_id,))


async def list_sharing(connection: Connection, user_id: UUID, account: PayoutAccount) -> tuple[UUID, ...]:
    """Return at most ten others who are paid to the same account."""
    facts = {"user_id": user_id, "bank_code": account.bank_code, "account_number": account.account_number}
    cursor = await connection.execute(SQL.list_sharing, facts)
    return tuple(row[0] for row in await cursor.fetchall())


def is_same_person(one: str, other: str) -> bool:
    """Whether two names can be one person's: all words of one are in the other, whatever order, case and accents."""
    first, second = _words_of(one), _words_of(other)
    return bool(first) and bool(second) and (first <= second or second <= first)


def _words_of(name: str) -> set[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return set(WORD.findall(plain.casefold()))
