"""The contract's text: a pure function of what the log says: its SHA-256 covers exactly the bytes that are shown.

Parties appear by id; names live outside the log. A template is never changed: a new one gets a new version, and what
was made from an old one is drawn with the old one for ever. So a template says in its own words what the policy was at
the time; only the terms of the transaction, which its first event holds, are filled in.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import Refused
from domain.listing import Listing
from domain.policy import Silence
from domain.transaction import Transaction

TEMPLATE_VERSION = "2026-11-27"
"""What new contracts are made from."""


class TemplateUnknown(Refused):
    """The contract was made from a template that this program does not know."""

    code = "template_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a contract is about: transaction and listing as they were when it was made, and the keys it names."""

    transaction: Transaction
    listing: Listing
    buyer_key: str
    seller_key: str


def render_contract(agreement: Agreement, template_version: str) -> bytes:
    """Return the contract in UTF-8. Raises `TemplateUnknown`."""
    template = _TEMPLATES.get(template_version)
    if template is None:
        raise TemplateUnknown
    return template(agreement).encode()


ADDENDUM_VERSION = "2026-11-addendum"


def render_addendum(transaction: Transaction, buyer_key: str, seller_key: str) -> bytes:
    """Return what the seller signs to hand over once more, in UTF-8; the fingerprints are those of the present keys."""
    return f"""ADDENDUM TO AN ESCROW AGREEMENT

Transaction       {transaction.id}
Agreement         SHA-256 {transaction.contract_sha256}
Lost deposit      {transaction.vault_id}
Buyer             {transaction.buyer_id}
  vault key       {buyer_key}
Seller            {transaction.seller_id}
  vault key       {seller_key}

1. The deposit above has not reached the buyer.
2. The seller hands over the credentials once more, to the buyer's vault key above; they are shown to the buyer once.
3. Everything else stays as agreed; the time to reveal begins anew.
""".encode()


def contract_sha256(content: bytes) -> str:
    """Return what both parties sign: the SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _template_2026_11(agreement: Agreement) -> str:
    transaction = agreement.transaction
    terms, price = transaction.terms, transaction.price
    fee = terms.fee_minor(price.amount_minor)
    return f"""ESCROW AGREEMENT

Transaction       {transaction.id}
Listing           {transaction.listing_id}
Deposit           {transaction.vault_id}
Buyer             {transaction.buyer_id}
  vault key       {agreement.buyer_key}
Seller            {transaction.seller_id}
  vault key       {agreement.seller_key}
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


def _template_2026_11_27(agreement: Agreement) -> str:
    sections = (_parties, _price, _deadlines, _disputes, _closing)
    return "\n".join(["ESCROW AGREEMENT\n", *(section(agreement) for section in sections)])


def _parties(agreement: Agreement) -> str:
    transaction = agreement.transaction
    return f"""Template          2026-11-27
Transaction       {transaction.id}
Opened            {transaction.created_on.isoformat()}
Buyer             {transaction.buyer_id}
  vault key       {agreement.buyer_key}
Seller            {transaction.seller_id}
  vault key       {agreement.seller_key}
Listing           {transaction.listing_id}
  content SHA-256 {agreement.listing.content_sha256}
Deposit           {transaction.vault_id}

The SHA-256 of the listing's content is salted; it is the one that the platform's log gives for
what the seller wrote when the buyer ordered. The credentials are handed from one vault key to
the other.
"""


def _price(agreement: Agreement) -> str:
    terms, price = agreement.transaction.terms, agreement.transaction.price.amount_minor
    currency = agreement.transaction.price.currency.value
    fee, tax, reserve = terms.fee_minor(price), terms.tax_minor(price), terms.reserve_minor(price)
    rest = price - fee - tax - reserve
    return f"""1. PRICE AND FEES

Price             {_amount(price)} {currency}
Commission        {_amount(fee)} {currency}
                  {terms.fee_bps} basis points of what is released, rounded down; no minimum
Tax on it         {_amount(tax)} {currency}
                  {terms.tax_bps} basis points of the commission, rounded down
Reserve           {_amount(reserve)} {currency}
                  {terms.reserve_bps} basis points of what is released, rounded down; paid to the
                  seller {_period(terms.warranty_seconds)} after the release, less what he owes by then
To the seller     {_amount(rest)} {currency}
                  at the release, when all of the price is released

1.1 The platform holds the price until this agreement says who gets it.
1.2 The seller bears the commission and the tax on it: they are taken from what is released.
1.3 The buyer pays the price, and what the payment page adds to it, where it does.
1.4 The platform bears what the payment processor takes for the charge and for transfers.
1.5 What is refunded to the buyer bears no commission.
"""


def _deadlines(agreement: Agreement) -> str:
    terms = agreement.transaction.terms
    return f"""2. DEADLINES

2.1 The buyer pays within {_period(terms.payment_seconds)} of the opening, else the transaction expires.
2.2 Both parties sign within {_period(terms.signing_seconds)} of the payment, else the buyer is refunded.
2.3 The buyer reveals the credentials within {_period(terms.reveal_seconds)} of the last signature,
    else the buyer is refunded. They are shown once, to the buyer alone.
2.4 The buyer inspects the account for {_period(terms.inspection_seconds)} from the reveal on, and
    confirms access or opens a dispute. When that time ends without a word from the buyer:
    - where the buyer has acknowledged that the credentials arrived,
      {_SILENCE[terms.silence]};
    - where the buyer has not, a person decides.
2.5 Before the reveal both parties together may cancel; the buyer is then refunded in full.
2.6 Credentials that nothing opens any more, because a password was reset or because they were
    lost on their way, may be deposited again by the seller within
    72 hours; the other deadlines wait meanwhile. Else the buyer is refunded.
    The seller is never paid for credentials that were not shown.
2.7 The platform may lengthen a deadline, as after an outage, and never shortens one.
"""


def _disputes(agreement: Agreement) -> str:
    return """3. DISPUTES

3.1 Either party may open a dispute from the payment on until 30 days after completion.
    While one is open no money is released; one that the seller opened stops no refund.
3.2 Who opened a dispute may withdraw it; the deadlines then go on where they stopped.
3.3 A dispute that is undecided after 7 days goes to a super administrator.
3.4 Buyer at fault: the price is released to the seller. Seller at fault: the buyer is refunded
    in full and the listing is removed. Platform at fault: the buyer is refunded in full and may
    be compensated by the platform. Unclear: a super administrator decides for one of these, or
    divides what is held.
3.5 A chargeback, with which the buyer's bank takes the payment back, is a dispute at any time
    and in any state. What it takes comes from what is held, then from what is owed to the
    seller and from the reserve. What the seller has been paid for this transaction by then, he
    owes to the platform, which may keep it from what it pays him next.
3.6 A refund after the seller was paid is owed by the seller to the platform in the same way.
"""


def _closing(agreement: Agreement) -> str:
    return """4. WHAT IS SIGNED

4.1 Both parties sign the SHA-256 of exactly these bytes. The log of the platform holds it, and
    the version of the template; a later template changes nothing in this agreement.
4.2 By signing, the seller hands the key of the credentials to the buyer's vault key.
"""


def _amount(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _period(seconds: int) -> str:
    return f"{seconds // 3600} hours"


_SILENCE = {
    Silence.RELEASE: "the price is released to the seller",
    Silence.REFUND: "the buyer is refunded",
    Silence.ESCALATE: "a person decides",
}
_TEMPLATES: dict[str, Callable[[Agreement], str]] = {
    "2026-11": _template_2026_11,
    "2026-11-27": _template_2026_11_27,
}
