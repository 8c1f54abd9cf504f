"""What users see of themselves."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from identity.payout_account import PayoutAccount
from identity.phone import Phone
from identity.session import OpenSession, Tokens
from identity.sign_in import SignedIn
from identity.user import User

SHOWN_DIGITS = 4


class UserView(BaseModel):
    """Your own account."""

    id: UUID
    email: str | None = Field(repr=False)
    display_name: str = Field(repr=False)
    legal_name: str = Field(repr=False)
    phone: str | None = Field(repr=False)
    roles: list[str]
    is_verified: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> "UserView":
        """Show somebody to themselves."""
        return cls(
            id=user.id,
            email=user.email,
            display_name=user.display_name,
            legal_name=user.legal_name,
            phone=user.phone,
            roles=sorted(user.roles),
            is_verified=user.verified_at is not None,
            created_at=user.created_at,
        )


class TokensView(BaseModel):
    """Tokens, shown once: send the access token as `Authorization: Bearer`."""

    token_type: str = "Bearer"  # noqa: S105 - a kind of token, not one
    access_token: str = Field(repr=False)
    access_expires_at: datetime
    refresh_token: str = Field(repr=False)
    refresh_expires_at: datetime
    user_id: UUID

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensView":
        """Show new tokens to their owner."""
        return cls(
            access_token=tokens.access_token,
            access_expires_at=tokens.access_expires_at,
            refresh_token=tokens.refresh_token,
            refresh_expires_at=tokens.refresh_expires_at,
            user_id=tokens.user_id,
        )


class LoginView(TokensView):
    """The same, and what to show at the next sign-in on this device: then guesses of others do not keep you out."""

    device_token: str = Field(repr=False)

    @classmethod
    def of_sign_in(cls, signed_in: SignedIn) -> "LoginView":
        """Show a new session to its owner."""
        return cls(**TokensView.of(signed_in.tokens).model_dump(), device_token=signed_in.device_token)


class SessionItem(BaseModel):
    """A session of yours; `is_present` is the one that asks."""

    id: UUID
    is_present: bool
    created_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    confirmed_by: str | None
    device: str | None = Field(repr=False)

    @classmethod
    def of(cls, session: OpenSession, *, present: UUID) -> "SessionItem":
        """Show a session to its owner."""
        return cls(
            id=session.id,
            is_present=session.id == present,
            created_at=session.created_at,
            expires_at=session.expires_at,
            confirmed_at=session.confirmed_at,
            confirmed_by=session.confirmed_by,
            device=session.device,
        )


class SessionsView(BaseModel):
    """Where you are signed in."""

    items: list[SessionItem]


class SecondFactorView(BaseModel):
    """What confirms you beside your password, and when this session was last confirmed."""

    has_app: bool
    security_keys: int
    recovery_codes_left: int
    confirmed_at: datetime | None
    withheld_roles: list[str]


class SeedView(BaseModel):
    """The secret of a new authenticator app, shown once; it counts from its first code on."""

    secret: str = Field(repr=False)
    uri: str = Field(repr=False)


class RecoveryCodesView(BaseModel):
    """New recovery codes, shown once; those before them have ended."""

    recovery_codes: list[str] = Field(repr=False)


class VerifiedView(BaseModel):
    """An address that was confirmed."""

    user_id: UUID
    is_verified: bool = True


class PhoneView(BaseModel):
    """Your number; it is verified once you have typed the code that was sent to it."""

    phone: str | None = Field(repr=False)
    is_verified: bool

    @classmethod
    def of(cls, phone: Phone) -> "PhoneView":
        """Show a number to its owner."""
        return cls(phone=phone.number, is_verified=phone.verified_at is not None)


class PayoutAccountView(BaseModel):
    """Where you are paid; of the number only the end is shown. Payouts go there from `usable_at` on."""

    type: str
    bank_code: str
    account_number_ends_in: str = Field(repr=False)
    account_name: str = Field(repr=False)
    currency: str
    usable_at: datetime | None

    @classmethod
    def of(cls, account: PayoutAccount, usable_at: datetime | None) -> "PayoutAccountView":
        """Show an account to its owner."""
        return cls(
            type=account.type,
            bank_code=account.bank_code,
            account_number_ends_in=account.account_number[-SHOWN_DIGITS:],
            account_name=account.account_name,
            currency=account.currency,
            usable_at=usable_at,
        )


class NewPayoutAccountView(PayoutAccountView):
    """The same, and what the bank says.

    `resolved_name` is the name that the bank has, `name_matches` whether it can be yours; null where it is not asked.
    """

    resolved_name: str | None = Field(repr=False)
    name_matches: bool | None
