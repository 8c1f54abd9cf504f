"""The contract's text: a pure function of the transaction, so that its SHA-256 covers exactly the bytes that are shown.

Parties appear by id; names live outside the log. A template is never changed: a new one gets a new version.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from domain.errors import Refused
from domain.transaction import Transaction

TEMPLATE_VERSION = "2026-11"


class TemplateUnknown(Refused):
    """The contract was made from a template that this program does not know."""

    code = "template_unknown"


def render_contract(transaction: Transaction, template_version: str, buyer_key: str, seller_key: str) -> bytes:
    """Return the contract in UTF-8; the fingerprints are those of the keys that the vault will use.

    Raises `TemplateUnknown`.
    """
    template = _TEMPLATES.get(template_version)
    if template is None:
        raise TemplateUnknown
    return template(transaction, buyer_key, seller_key).encode()


def contract_sha256(content: bytes) -> str:
    """Return what both parties sign: the SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _template_2026_11(transaction: Transaction, buyer_key: str, seller_key: str) -> str:
    terms, price = transaction.terms, transaction.price
    fee = terms.fee_minor(price.amount_minor)
    return f"""ESCROW AGREEMENT

Transaction       {transaction.id}
Listing           {transaction.listing_id}
Deposit           {transaction.vault_id}
Buyer             {transaction.buyer_id}
  vault key       {buyer_key}
Seller            {transaction.seller_id}
  vault key       {seller_key}
Price             {_amount(price.amount_minor)} {price.currency.value}
Commission        {_amount(fee)} {price.currency.value} ({terms.fee_bps} basis points, rounded down)
Opened            {transaction.created_on.isoformat()}

1. The platform holds the price until this agreement says who gets it.
2. The seller hands over the credentials through the vault; they are shown to the buyer once.
3. Both parties sign within {_period(terms.signing_seconds)} of the payment, else the buyer is refunded.
4. The buyer reveals the credentials within {_period(terms.reveal_seconds)} of the last signature,
   else the buyer is refunded.
5. The buyer inspects the account for {_period(terms.inspection_seconds)} and confirms access or opens a dispute.
6. After an acknowledged reveal, silence until then means: {terms.silence.value}.
7. A dispute can be opened until 30 days after completion; while one is open no money is released.
8. Buyer at fault: the price is released. Seller at fault: the buyer is refunded and the listing removed.
   Platform at fault: the buyer is refunded and may be compensated. Unclear: a super administrator decides.
9. {terms.reserve_bps} basis points of the price are reserved for {_period(terms.warranty_seconds)} after the release.
"""


def _amount(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _period(seconds: int) -> str:
    period = timedelta(seconds=seconds)
    return f"{period.days * 24 + period.seconds // 3600} hours"


_TEMPLATES: dict[str, Callable[[Transaction, str, str], str]] = {TEMPLATE_VERSION: _template_2026_11}
