"""Payouts: intent, call, outcome. After any doubt only a GET tells, and the reference never changes while in doubt."""

from functools import partial
from typing import NamedTuple
from uuid import UUID

from domain.errors import NotFound
from domain.money import Currency, Money
from domain.transaction import Transaction
from domain.transaction.contested import CHARGED_BACK
from domain.transaction.records import Payout, PayoutPurpose, PayoutStatus
from domain.transaction.refund import REFUND_PAID
from domain.transaction.system_commands import DistrustAccount, RecordTransfer, RequestPayout, WaitForAccount
from domain.transaction.transfer import NOT_PAID, TransferReport, TransferStatus
from domain.user import AccountDoubt, User
from eventstore.log import get_head
from gateways.ensure import OutcomeMismatched, answer_of, ensure_transfer, same_transfer
from gateways.errors import GatewayRefused, GatewayUncertain, InsufficientBalance, UnknownReference
from gateways.payment import NewRecipient, NewTransfer, Transfer
from gateways.payment import TransferStatus as Reported
from identity.payout_account import PayoutAccount, find_payout_account, hash_kept_account, lock_payout_account
from reactions.naming import write_reason
from reactions.question import PATIENCE, Ask, Passed, ask_each
from reactions.refund import find_late_refund, find_refund_instead
from reactions.toolbox import Toolbox, order, record

NAME = "payouts"


async def pay_refund(tools: Toolbox, transaction: Transaction) -> bool:
    """Pay the buyer what a refund of his could not bring him."""
    return await request_payout(tools, transaction, PayoutPurpose.REFUND)


async def pay_compensation(tools: Toolbox, transaction: Transaction) -> bool:
    """Pay the buyer what staff awarded him; the seller's share is `reactions.clawback`'s."""
    return await request_payout(tools, transaction, PayoutPurpose.COMPENSATION)


async def request_payout(tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose) -> bool:
    """Record the intent to pay what is payable; after a failure once its pause is over, five times without success.

    What the processor refused waits for a person and a better recipient. True when the intent was recorded; else
    whatever is the matter with the account is, where somebody has to mend it.
    """
    if not _is_due(tools, transaction, purpose) or await find_late_success(tools, transaction, purpose):
        return False
    payee = transaction.seller_id if purpose is PayoutPurpose.SELLER else transaction.buyer_id
    kept = await _read_account(tools, payee)
    if kept is None or kept.account.currency != transaction.price.currency:
        lack = AccountDoubt.MISSING if kept is None else AccountDoubt.OTHER_CURRENCY
        if transaction.awaits_account(purpose):
            await order(tools, NAME, transaction, DistrustAccount(purpose=purpose, doubt=lack))
        return False
    recipient = None if kept.doubt else await _register(tools, kept.account, transaction.price.currency)
    if recipient is None:
        doubt = kept.doubt or AccountDoubt.REFUSED
        await order(tools, NAME, transaction, DistrustAccount(purpose=purpose, doubt=doubt))
        return False
    # Asked after the account was read: a change is in the log before it is in the table.
    if await _waits_for_account(tools, transaction, purpose, payee):
        return False
    if purpose is PayoutPurpose.REFUND and await find_late_refund(tools, transaction):
        return False
    await order(tools, NAME, transaction, RequestPayout(purpose=purpose, recipient=recipient))
    return True


def _is_due(tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose) -> bool:
    is_payable = transaction.payable_minor(purpose) > 0 and not transaction.is_frozen(purpose)
    return is_payable and _is_free(tools, transaction.last_payout(purpose))


def _is_free(tools: Toolbox, last: Payout | None) -> bool:
    """True for the first attempt, after one that was paid, and when the pause after a failure is over."""
    if last is None or last.status is PayoutStatus.SUCCEEDED:
        return True
    return last.retry_at is not None and tools.clock() >= last.retry_at


async def find_late_success(tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose) -> bool:
    """Ask once more about what failed, before more is sent; True when an earlier attempt was paid, or may yet be."""
    doubtful: set[str] = set()
    # What was recorded may be that a question was refused.
    return await ask_each(tools, transaction, ask_late_payouts(tools, transaction, purpose, doubtful)) or bool(doubtful)


def ask_late_payouts(
    tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose, doubtful: set[str]
) -> dict[str, Ask]:
    """Return the questions about attempts that failed; what was paid, or may yet be, gets `doubtful`."""
    failed = [payout for payout in _list_failed(transaction) if payout.purpose is purpose]
    return {one.reference: partial(_record_if_paid, tools, transaction, one, doubtful) for one in failed}


class _Kept(NamedTuple):
    account: PayoutAccount
    doubt: AccountDoubt | None


async def _read_account(tools: Toolbox, payee: UUID) -> _Kept | None:
    """Return the payee's account, and why the log does not vouch for it; None while he has named none."""
    async with tools.pool.connection() as connection, connection.transaction():
        # While it is locked no change is in the log that is not in the table yet.
        await lock_payout_account(connection, payee)
        account = await find_payout_account(connection, payee)
        sha256 = await hash_kept_account(connection, payee, account)
        position = await get_head(connection)
    if account is None:
        return None
    try:
        user = await tools.escrow.get(User, payee, at_position=position)
    except NotFound:
        return _Kept(account, AccountDoubt.NEVER_NAMED)
    return _Kept(account, user.doubt_account(sha256))


async def _register(tools: Toolbox, account: PayoutAccount, currency: Currency) -> str | None:
    """Return the processor's code for an account; None where it will not pay to it."""
    wanted = NewRecipient(
        type=account.type,
        name=account.account_name,
        account_number=account.account_number,
        bank_code=account.bank_code,
        currency=currency,
    )
    try:
        return (await tools.gateway.create_recipient(wanted)).recipient_code
    except GatewayRefused:
        return None


async def _waits_for_account(tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose, payee: UUID) -> bool:
    """True while the payee's account is too new to be paid to; the transaction says so."""
    usable_at = (await tools.escrow.get(User, payee)).payout_usable_at
    if usable_at is None or tools.clock() >= usable_at:
        return False
    await order(tools, NAME, transaction, WaitForAccount(purpose=purpose, usable_at=usable_at))
    return True


async def follow_payouts(tools: Toolbox, transaction: Transaction) -> bool:
    """Send what was intended, and ask what became of what was sent, also of what failed once that was refused."""
    under_way = [payout for payout in transaction.payouts.values() if payout.status.is_open]
    refused = [payout for payout in _list_failed(transaction) if payout.reference in transaction.refused_questions]
    questions = {each.reference: partial(_follow, tools, transaction, each) for each in under_way}
    late = {each.reference: partial(_record_if_paid, tools, transaction, each, set()) for each in refused}
    return await ask_each(tools, transaction, questions | late)


def _list_failed(transaction: Transaction) -> list[Payout]:
    return [payout for payout in transaction.payouts.values() if payout.status is PayoutStatus.FAILED]


async def _record_if_paid(tools: Toolbox, transaction: Transaction, payout: Payout, doubtful: set[str]) -> bool:
    """True when what failed was paid after all; that, or what may yet be paid, is `doubtful` from now on.

    Staff are told of what may yet be paid: the next attempt waits for it.
    """
    try:
        report = await _ask_only(tools, transaction, payout)
    except OutcomeMismatched as doubt:
        doubtful.add(payout.reference)
        raise Passed(doubt) from doubt
    if report is None or report.status in NOT_PAID:
        return False
    doubtful.add(payout.reference)
    if report.status is not TransferStatus.SUCCESS:
        raise Passed(GatewayUncertain(gateway_code=f"transfer_{report.status.value}"))
    return await record(tools, NAME, transaction.id, RecordTransfer(report=report))


async def confirm_transfer(tools: Toolbox, transaction: Transaction, reference: str) -> bool:
    """Ask again about a payout that is over: the processor can take back what it has paid; True when it did."""
    payout = transaction.payouts.get(reference)
    if payout is None or payout.status.is_open:
        return False
    report = report_of_payout(transaction, payout, await tools.gateway.verify_transfer(reference))
    result = await order(tools, NAME, transaction, RecordTransfer(report=report))
    return result.aggregate.version != transaction.version


async def _follow(tools: Toolbox, transaction: Transaction, payout: Payout) -> bool:
    try:
        report = await _find(tools, transaction, payout)
    except OutcomeMismatched as doubt:
        raise Passed(doubt) from doubt
    if report is None and not transaction.is_held_up(payout):
        if await find_refund_instead(tools, transaction, payout):
            return True
        report = await _send(tools, transaction, payout)
    return report is not None and await record(tools, NAME, transaction.id, RecordTransfer(report=report))


async def _find(tools: Toolbox, transaction: Transaction, payout: Payout) -> TransferReport | None:
    """Return what the processor says of what was sent, or may have been; None where there is no such transfer."""
    if payout.accepted:
        return report_of_payout(transaction, payout, await tools.gateway.verify_transfer(payout.reference))
    if transaction.is_held_up(payout):
        return await _conclude(tools, transaction, payout)
    # A crash may have hidden that it was sent before a refund was paid in its place.
    return await _ask_only(tools, transaction, payout) if payout.purpose is PayoutPurpose.REFUND else None


async def _send(tools: Toolbox, transaction: Transaction, payout: Payout) -> TransferReport:
    await tools.permit()
    try:
        made = await ensure_transfer(tools.gateway, _wanted(transaction, payout))
        return report_of_payout(transaction, payout, await _confirmed(tools, made))
    except InsufficientBalance:
        return TransferReport(reference=payout.reference, status=TransferStatus.NOT_COVERED)
    except GatewayRefused as error:
        reason = error.gateway_code or error.code
        return TransferReport(reference=payout.reference, status=TransferStatus.REFUSED, reason=reason)
    except (GatewayUncertain, UnknownReference) as error:
        if isinstance(error, OutcomeMismatched) and payout.status is PayoutStatus.UNCERTAIN:
            raise Passed(error) from error  # no waiting clears it up
        return TransferReport(reference=payout.reference, status=TransferStatus.UNCERTAIN, reason=error.code)


def _wanted(transaction: Transaction, payout: Payout) -> NewTransfer:
    return NewTransfer(
        reference=payout.reference,
        recipient_code=payout.recipient,
        amount=Money(payout.amount_minor, transaction.price.currency),
        reason=write_reason(transaction.id),
    )


async def _ask_only(tools: Toolbox, transaction: Transaction, payout: Payout) -> TransferReport | None:
    """Ask and send nothing; None where there is no such transfer."""
    try:
        return report_of_payout(transaction, payout, await tools.gateway.verify_transfer(payout.reference))
    except UnknownReference:
        return None


async def _conclude(tools: Toolbox, transaction: Transaction, payout: Payout) -> TransferReport | None:
    """Send nothing; what is not to be sent any more is refused when there has been no such transfer for long.

    A crash may have hidden that it was sent before.
    """
    found = await _ask_only(tools, transaction, payout)
    reason = CHARGED_BACK if transaction.is_charged_back(payout) else REFUND_PAID
    is_over = reason is CHARGED_BACK or transaction.is_refunded_instead(payout)
    if found is not None or not is_over or tools.clock() < transaction.modified_on + PATIENCE:
        return found
    return TransferReport(reference=payout.reference, status=TransferStatus.REFUSED, reason=reason)


async def _confirmed(tools: Toolbox, transfer: Transfer) -> Transfer:
    """Ask again for what is said to be paid: the answer to the order names no fee, the answer to the question does."""
    if transfer.status is not Reported.SUCCESS or transfer.fee_minor is not None:
        return transfer
    return await answer_of(tools.gateway.verify_transfer(transfer.reference))


def report_of_payout(transaction: Transaction, payout: Payout, transfer: Transfer) -> TransferReport:
    """The same of a transfer that is the one ordered; raise `OutcomeMismatched` for another amount or recipient."""
    return report_of(same_transfer(transfer, _wanted(transaction, payout)))


def report_of(transfer: Transfer) -> TransferReport:
    """Return what the processor said of a transfer, as the log records it; a word we have not met concludes nothing."""
    pending = Reported.PENDING if transfer.status is Reported.UNKNOWN else transfer.status
    return TransferReport(
        reference=transfer.reference,
        status=TransferStatus(pending.value),
        transfer_code=transfer.transfer_code,
        fee_minor=transfer.fee_minor,
        reason=transfer.gateway_response,
    )
