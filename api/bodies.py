"""What clients send. Strict: nothing is converted, an unknown field is refused."""

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema

from api.http.body import Body, BodyId, Prose, SingleLine
from api.http.json_reader import CONTROLS
from api.views.money import AmountMinor, MoneyBody
from domain.actor import Role
from domain.money import MAX_AMOUNT_MINOR
from domain.policy import MAX_EXTENSION_SECONDS
from domain.reason import REASON_MAX_LENGTH, REASON_MIN_LENGTH
from domain.transaction.records import DisputeCategory, Finding, PayoutPurpose
from gateways.payment import TRANSFER_REFERENCE
from identity.api_key import Scope
from identity.email import LONGEST_EMAIL
from identity.payout_account import ACCOUNT_NUMBER, BANK_CODE
from reactions.attention import OTP

KEY_BYTES = 32

PASSWORD_SCHEMA: dict[str, JsonValue] = {
    "format": "password",
    "pattern": f"^[^{CONTROLS}]+$",
}
"""What is refused in every text, said where programs choose what to send."""
Password = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra=PASSWORD_SCHEMA)]
Email = Annotated[SingleLine, Field(min_length=3, max_length=LONGEST_EMAIL)]
Name = Annotated[SingleLine, Field(min_length=1, max_length=200)]
Phone = Annotated[SingleLine, Field(min_length=1, max_length=32)]
Title = Annotated[SingleLine, Field(min_length=1, max_length=200)]
Description = Annotated[Prose, Field(min_length=1, max_length=10_000)]
Remark = Annotated[Prose, Field(min_length=1, max_length=4000)]
Reason = Annotated[Prose, Field(min_length=REASON_MIN_LENGTH, max_length=REASON_MAX_LENGTH)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
BankCode = Annotated[str, Field(pattern=f"^{BANK_CODE.pattern}$")]
AccountNumber = Annotated[str, Field(pattern=f"^{ACCOUNT_NUMBER.pattern}$")]
TransferReference = Annotated[str, Field(pattern=f"^{TRANSFER_REFERENCE.pattern}$")]
SixDigits = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
RecoveryCode = Annotated[str, Field(pattern=r"^[A-Za-z2-7 -]{16,40}$")]
RecoveryKeyText = Annotated[str, Field(pattern=r"^[A-Za-z2-7 -]{32,60}$")]
Token = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
OptionalAmount = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR)]


def _read_key(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("a key is a text")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError("not 32 bytes")
    return key


def _word_of(kind: type[StrEnum]) -> BeforeValidator:
    """Take the word for a member of `kind`, as which a strict body would not know it."""

    def read(word: object) -> StrEnum:
        return kind(word)

    return BeforeValidator(read)


def _require_unlike_processor(category: DisputeCategory) -> DisputeCategory:
    if category is DisputeCategory.CHARGEBACK:
        raise ValueError("only the processor opens chargebacks")
    return category


Statements = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=500)], ...], Field(max_length=20, strict=False)
]
SelfServiceRole = Annotated[Role, _word_of(Role), WithJsonSchema({"type": "string", "enum": ["buyer", "seller"]})]
Category = Annotated[
    DisputeCategory,
    _word_of(DisputeCategory),
    AfterValidator(_require_unlike_processor),
    WithJsonSchema(
        {"type": "string", "enum": [c.value for c in DisputeCategory if c is not DisputeCategory.CHARGEBACK]}
    ),
]
HumanFinding = Annotated[
    Finding,
    _word_of(Finding),
    WithJsonSchema({"type": "string", "enum": ["buyer", "seller", "platform", "unclear"]}),
]
KeyScope = Annotated[
    Scope, _word_of(Scope), WithJsonSchema({"type": "string", "enum": [scope.value for scope in Scope]})
]
PublicKeyBytes = Annotated[
    bytes,
    BeforeValidator(_read_key),
    WithJsonSchema({"type": "string", "format": "byte", "minLength": 44, "maxLength": 44}),
]


class RegisterBody(Body):
    """A new account; whoever leaves `roles` out may both buy and sell."""

    email: Email
    password: Password
    display_name: Name
    legal_name: Name
    phone: Phone | None = None
    roles: Annotated[list[SelfServiceRole], Field(min_length=1, max_length=2)] | None = None


class EmailBody(Body):
    """An e-mail address."""

    email: Email


class VerifyEmailBody(Body):
    """The six digits that were sent to the address."""

    email: Email
    code: SixDigits


class LoginBody(Body):
    """E-mail address and password, a code of the authenticator app for those who have one, and what the last sign-in on
    this device gave."""

    email: Email
    password: Password
    code: SixDigits | None = None
    device_token: Token | None = None


class PasswordChangeBody(Body):
    """The password as it is, and as it shall be."""

    password: Password
    new_password: Password


class ResetBody(Body):
    """The token that was mailed, the new password, and the proof of the second factor where there is one.

    With `recovery_key` nothing is lost. Without it, `accept_losses` says that the list of what is lost was read.
    """

    token: Token
    new_password: Password
    accept_losses: bool = False
    recovery_key: RecoveryKeyText | None = None
    code: SixDigits | None = None
    recovery_code: RecoveryCode | None = None


class PasswordBody(Body):
    """Your password."""

    password: Password


class CodeBody(Body):
    """Six digits: the first code of a new authenticator app, or those that were sent to a telephone."""

    code: SixDigits


class PhoneBody(Body):
    """A number with its country, such as +254700000001."""

    phone: Phone


class RefreshBody(Body):
    """The refresh token; it is replaced by every use."""

    refresh_token: Token


class PayoutAccountBody(Body):
    """Where a seller is paid: one of Paystack's kinds of recipient."""

    type: Literal["nuban", "ghipss", "mobile_money", "mobile_money_business", "basa", "kepss"]
    bank_code: BankCode
    account_number: AccountNumber
    account_name: Name
    currency: Literal["NGN", "GHS", "KES", "ZAR"]


class ApiKeyBody(Body):
    """What the key is for, what it may do, and for how many days."""

    name: Name
    scopes: Annotated[list[KeyScope], Field(min_length=1, max_length=len(Scope))]
    expires_in_days: Annotated[int, Field(ge=1, le=365)] = 90


class ListingBody(Body):
    """What is offered and for how much."""

    title: Title
    description: Description
    price: MoneyBody


class ListingPatch(Body):
    """What is to change; the rest stays as it is."""

    title: Title | None = None
    description: Description | None = None
    price: MoneyBody | None = None


class CredentialsBody(Body):
    """The credentials of the account: texts, whole numbers, lists and objects. They are sealed and never stored."""

    credentials: Annotated[dict[str, JsonValue], Field(min_length=1, max_length=100, repr=False)]


class OpenBody(Body):
    """Which listing to buy."""

    listing_id: BodyId


class SignBody(Body):
    """The hash of the contract as it was read, the legal name as in the account, and the seller's password.

    The acknowledgements are the statements that the signer ticked. They stand in the log for ever, also
    after an erasure: nothing personal belongs there.
    """

    content_sha256: Sha256
    legal_name: Name
    acknowledgements: Statements = ()
    password: Password | None = None


class RedepositBody(Body):
    """The hash of the addendum as it was read, the legal name, the password; and the credentials.

    Without credentials those that the seller deposited before are handed over, if he can still open them.
    """

    content_sha256: Sha256
    legal_name: Name
    password: Password
    credentials: Annotated[dict[str, JsonValue] | None, Field(min_length=1, max_length=100, repr=False)] = None


class RevealBody(Body):
    """The password, and an ephemeral X25519 public key (base64) to seal the answer to."""

    password: Password
    client_public_key: PublicKeyBytes | None = None


class ConfirmBody(Body):
    """The statements the buyer agreed to, in their exact words.

    They stand in the log for ever, also after an erasure: nothing personal belongs there.
    """

    statements: Statements = ()


class CancelBody(Body):
    """Why the transaction ends; optional.

    It stands in the log for ever, also after an erasure, and the other party reads it: do not name people.
    """

    reason: Annotated[Prose, Field(min_length=1, max_length=500)] | None = None


class DisputeBody(Body):
    """What is wrong, in a word and in the party's own words."""

    category: Category
    statement: Remark | None = None


class StatementBody(Body):
    """The party's own words; they can be erased, the log has a salted hash of them."""

    statement: Remark


class ExtendBody(Body):
    """How much more time, in seconds from the present end, and why.

    The reason stands in the log for ever, also after an erasure: do not name people.
    """

    seconds: Annotated[int, Field(strict=True, ge=1, le=MAX_EXTENSION_SECONDS)]
    reason: Reason


class ReasonBody(Body):
    """Why; 10 characters or more. It stands in the log for ever: do not name people."""

    reason: Reason


class ReleaseBody(Body):
    """Why, and of what: a payout that is due to seller or buyer, by its purpose, to a recipient of the processor.

    Without a purpose it is what is held, or the only payout that is due. A recipient needs a purpose.
    """

    reason: Reason
    purpose: Annotated[PayoutPurpose, _word_of(PayoutPurpose)] | None = None
    recipient: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = None


class OtpBody(Body):
    """The one-time password that Paystack sent, and why it is typed; `reference` where several payouts wait for one."""

    otp: Annotated[str, Field(pattern=f"^{OTP.pattern}$", repr=False, json_schema_extra={"format": "password"})]
    reason: Reason
    reference: TransferReference | None = None


class ResendOtpBody(Body):
    """Which payout; the first that waits for a one-time password if left out."""

    reference: TransferReference | None = None


class RefundAccountBody(Body):
    """The buyer's account, and why it is given; `reference` where several refunds wait for one.

    The log holds a salted hash of the account and no more.
    """

    bank_code: BankCode
    account_number: Annotated[AccountNumber, Field(repr=False)]
    reason: Reason
    reference: TransferReference | None = None


class RefundBody(Body):
    """Why, and how much; all that can be refunded if left out."""

    reason: Reason
    amount_minor: AmountMinor | None = None


class AmountBody(Body):
    """How much, and why."""

    amount_minor: AmountMinor
    reason: Reason


class NoteBody(Body):
    """A note for the record. It stands in the log for ever: do not name people."""

    text: Remark


class ResolveBody(Body):
    """The decision. Amounts divide what is held, and are only given when it is unclear who is at fault."""

    finding: HumanFinding
    reason: Reason
    to_buyer_minor: OptionalAmount | None = None
    to_seller_minor: OptionalAmount | None = None
    compensation_minor: OptionalAmount = 0
