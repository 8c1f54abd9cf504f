"""Commands with sane arguments, and stories told up to each phase."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid5

from domain.journal import Account
from domain.money import Currency
from domain.policy import Terms
from domain.restore import DiscoverExternalPayment, PaymentKind, external_payment_id
from domain.transaction import Transaction
from domain.transaction.chargeback_answer import AnswerPlan, AnswerReport
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.commands import (
    AcknowledgeReveal,
    CancelTransaction,
    ConfirmAccess,
    OpenDispute,
    OpenTransaction,
    RequestPayment,
    RevealCredentials,
    SignContract,
)
from domain.transaction.dispute import Award
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import DisputeCategory, Finding, PayoutPurpose
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import ForceRefund, ForceRelease, ResolveDispute
from domain.transaction.system_commands import (
    EnforceDeadline,
    GenerateContract,
    LoseDeposit,
    OrderAnswer,
    RecordAnswer,
    RecordCharge,
    RecordChargeback,
    RecordPaymentLink,
    RecordRefund,
    RecordTransfer,
    RequestPayout,
)
from domain.transaction.transfer import TransferReport, TransferStatus
from domain.transaction.vault import Addendum
from tests.domain.people import BUYER, SELLER, START, SUPER, SYSTEM
from tests.domain.story import LISTING_ID, RATE, TRANSACTION_ID, Story

REASON = "decided after reading the evidence"
CONTRACT_SHA256 = hashlib.sha256(b"the contract").hexdigest()
BUYER_KEY = "buyer-key"
RECIPIENT = "RCP_seller"
FEE = 1_500
TRANSFER_FEE = 2_000


def charge(
    story: Story,
    amount_minor: int | None = None,
    *,
    processor_id: str = "charge-1",
    requested_minor: int | None = None,
    currency: Currency = Currency.KES,
    fee_minor: int | None = FEE,
) -> RecordCharge:
    return RecordCharge(
        charge=ConfirmedCharge(
            reference=story.transaction.payment_reference or "ch-nobody-asked",
            processor_id=processor_id,
            amount_minor=story.price_minor if amount_minor is None else amount_minor,
            requested_minor=requested_minor,
            currency=currency,
            fee_minor=fee_minor,
            channel="card",
            paid_at=story.now,
            verified_by="webhook+verify",
        )
    )


def contract() -> GenerateContract:
    return GenerateContract(
        contract_id=UUID(int=0xC0),
        content_sha256=CONTRACT_SHA256,
        template_version="2026-11",
        buyer_key_fingerprint=BUYER_KEY,
        seller_key_fingerprint="seller-key",
    )


def sign(granted: str | None = None, *, sha256: str = CONTRACT_SHA256) -> SignContract:
    return SignContract(
        content_sha256=sha256, name_digest="n" * 64, acknowledgements=("read",), granted_fingerprint=granted
    )


def addendum(buyer_key: str = "new-buyer-key") -> Addendum:
    """What the seller signs when he hands over once more."""
    return Addendum(
        content_sha256="e" * 64,
        template_version="2026-11-addendum",
        name_digest="n" * 64,
        buyer_key_fingerprint=buyer_key,
        seller_key_fingerprint="new-seller-key",
    )


def reveal() -> RevealCredentials:
    return RevealCredentials(sealed_to="ephemeral-key")


def confirm() -> ConfirmAccess:
    return ConfirmAccess(statements=("I have access.",))


def dispute(number: int = 1, category: DisputeCategory = DisputeCategory.NOT_WORKING) -> OpenDispute:
    return OpenDispute(
        dispute_id=uuid5(TRANSACTION_ID, f"dispute {number}"),
        category=category,
        statement_id=UUID(int=0xD0),
        statement_sha256="e" * 64,
    )


def resolve(
    story: Story,
    finding: Finding,
    *,
    compensation_minor: int = 0,
    to_buyer_minor: int | None = None,
    to_seller_minor: int | None = None,
    limit_usd_cents: int | None = 10**9,
    reason: str = REASON,
) -> ResolveDispute:
    award = Award(
        finding=finding,
        reason=reason,
        to_buyer_minor=to_buyer_minor,
        to_seller_minor=to_seller_minor,
        compensation_minor=compensation_minor,
    )
    return ResolveDispute(dispute_id=story.dispute(), award=award, limit_usd_cents=limit_usd_cents)


def release(
    recipient: str | None = None,
    purpose: PayoutPurpose | None = None,
    *,
    limit: int | None = 10**9,
    reason: str = REASON,
) -> ForceRelease:
    return ForceRelease(reason=reason, purpose=purpose, recipient=recipient, limit_usd_cents=limit)


def release_due(transaction: Transaction, *, limit: int | None = 10**9) -> ForceRelease:
    """Release what there is to release: the first payout that waits for a person, else what is held."""
    due = transaction.purposes_to_pay()
    return release("RCP_x", due[0], limit=limit) if due else release(limit=limit)


def refund(amount_minor: int | None = None, *, limit: int | None = 10**9, reason: str = REASON) -> ForceRefund:
    return ForceRefund(reason=reason, amount_minor=amount_minor, limit_usd_cents=limit)


def pay_out(purpose: PayoutPurpose = PayoutPurpose.SELLER, recipient: str = RECIPIENT) -> RequestPayout:
    return RequestPayout(purpose=purpose, recipient=recipient)


def transfer(reference: str, status: str, fee_minor: int | None = None) -> RecordTransfer:
    return RecordTransfer(
        report=TransferReport(
            reference=reference, status=TransferStatus(status), transfer_code="TRF_1", fee_minor=fee_minor
        )
    )


def refunded(reference: str, status: str, source: Account = Account.BALANCE) -> RecordRefund:
    return RecordRefund(
        report=RefundReport(
            reference=reference, status=ProcessorRefundStatus(status), processor_refund_id="1", source=source
        )
    )


def chargeback(
    outcome: str,
    amount_minor: int = 100_000,
    *,
    number: str = "dispute-1",
    source: Account = Account.BALANCE,
    of: RecordCharge | None = None,
) -> RecordChargeback:
    """Without `of`, which is a charge that was reported, it is about the one that paid the price."""
    return RecordChargeback(
        report=ChargebackReport(
            processor_dispute_id=number,
            outcome=ChargebackOutcome(outcome),
            amount_minor=amount_minor,
            due_at=START + timedelta(hours=16),
            source=source,
            charge_id=None if of is None else of.charge.processor_id,
            charge_reference=None if of is None else of.charge.reference,
        )
    )


def order_answer(dispute_id: UUID, version: int = 3) -> OrderAnswer:
    plan = AnswerPlan(
        dispute_id=dispute_id, template_version="2026-11", evidence_version=version, evidence_sha256="a" * 64
    )
    return OrderAnswer(plan=plan)


def answered(dispute_id: UUID, *refs: str, refusal: str | None = None) -> RecordAnswer:
    return RecordAnswer(report=AnswerReport(dispute_id=dispute_id, evidence_refs=refs, refusal=refusal))


def opening() -> OpenTransaction:
    return OpenTransaction(listing_id=LISTING_ID, rate=RATE, terms=Terms())


def cancel() -> CancelTransaction:
    return CancelTransaction(reason="changed_mind")


# -- stories up to a phase --------------------------------------------------------------------------------------------


def discover(story: Story) -> UUID:
    """After a restore the processor has a transfer that the log has no place for."""
    found = external_payment_id(PaymentKind.TRANSFER, "77")
    discovered = DiscoverExternalPayment(
        kind=PaymentKind.TRANSFER,
        reference="po-77",
        processor_id="77",
        transaction_id=TRANSACTION_ID,
        currency="KES",
        amount_minor=900,
        status="success",
    )
    story.start(discovered, SYSTEM, found)
    return found


def pending(price_minor: int = 100_000, terms: Terms | None = None, *, checked: bool = True) -> Story:
    """Opened, and nothing paid."""
    return Story(price_minor, terms, checked=checked).offer().open()


def asked(story: Story) -> Story:
    """The buyer has a payment page."""
    story.do(RequestPayment(), BUYER)
    story.do(RecordPaymentLink(reference=story.transaction.payment_reference or "", authorization_url_sha256="f" * 64))
    return story


def funded(story: Story) -> Story:
    """Escrow holds the price and the contract can be signed."""
    asked(story)
    story.do(charge(story))
    story.do(contract())
    return story


def signed(story: Story) -> Story:
    """Both signed."""
    funded(story)
    story.do(sign(), BUYER)
    story.do(sign(BUYER_KEY), SELLER)
    return story


def lost(story: Story) -> Story:
    """The seller's password is forgotten, and with it the deposit."""
    signed(story)
    story.do(LoseDeposit())
    return story


def revealed(story: Story) -> Story:
    """The buyer has seen the credentials and said so."""
    signed(story)
    story.do(reveal(), BUYER)
    story.do(AcknowledgeReveal(), BUYER)
    return story


def releasing(story: Story) -> Story:
    """The buyer confirmed access; nothing is paid out."""
    revealed(story)
    story.do(confirm(), BUYER)
    return story


def paying(story: Story) -> Story:
    """The payout is asked for."""
    releasing(story)
    story.do(pay_out())
    return story


def payout_failed(story: Story) -> Story:
    """The processor refused the payout."""
    paying(story)
    story.do(transfer(story.payout(), "refused"))
    return story


def completed(story: Story) -> Story:
    """The seller has been paid."""
    paying(story)
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    return story


def refunding(story: Story) -> Story:
    """Nobody signed: everything is to go back."""
    funded(story)
    story.wait(hours=72).do(EnforceDeadline())
    return story


def returned(story: Story) -> Story:
    """The buyer has everything back."""
    refunding(story)
    story.do(refunded(story.refund(), "processed"))
    return story


def disputed(story: Story) -> Story:
    """The buyer says it does not work."""
    revealed(story)
    story.do(dispute(), BUYER)
    return story


def cancelled(story: Story) -> Story:
    """The buyer changed his mind before he paid."""
    asked(story)
    story.do(cancel(), BUYER)
    return story


def expired(story: Story) -> Story:
    """Nobody paid in time."""
    asked(story)
    story.wait(hours=24).do(EnforceDeadline())
    return story


def splitting(story: Story) -> Story:
    """Half and half, less a fee; nothing is sent yet."""
    disputed(story)
    price = story.price_minor
    story.do(
        resolve(story, Finding.UNCLEAR, to_buyer_minor=price // 2, to_seller_minor=price // 2 - price // 20), SUPER
    )
    return story


def split(story: Story) -> Story:
    """Both have their shares."""
    splitting(story)
    story.do(refunded(story.refund(), "processed"))
    story.do(pay_out())
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    return story


def charged_back(story: Story) -> Story:
    """The buyer's bank took everything back."""
    signed(story)
    story.do(chargeback("lost", story.price_minor))
    return story


def compensating(story: Story) -> Story:
    """The platform was at fault: everything goes back and something on top."""
    disputed(story)
    story.do(resolve(story, Finding.PLATFORM, compensation_minor=story.price_minor // 20), SUPER)
    return story


PHASES: dict[str, Callable[[Story], Story]] = {
    "pending": asked,
    "funds_held": funded,
    "contract_signed": signed,
    "credentials_released": revealed,
    "releasing": releasing,
    "payout_failed": payout_failed,
    "completed": completed,
    "refunding": refunding,
    "refunded": returned,
    "disputed": disputed,
    "cancelled": cancelled,
    "expired": expired,
    "split": split,
    "charged_back": charged_back,
}
