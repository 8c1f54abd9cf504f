"""Who may do what: strangers learn nothing, everybody else is told that it is not his to do."""

from collections.abc import Callable
from uuid import UUID

import pytest

from domain.command import Command
from domain.errors import Forbidden, NotFound
from domain.transaction import commands, staff_commands, system_commands
from domain.transaction.commands import (
    AcknowledgeReveal,
    ExtendInspection,
    MissReveal,
    RecordStatement,
    ReplaceDeposit,
    RequestPayment,
    TransactionCommand,
    WithdrawDispute,
)
from domain.transaction.records import Finding, PayoutPurpose
from domain.transaction.staff_commands import (
    AddNote,
    Compensate,
    EscalateDispute,
    FinalizePayout,
    GiveRefundAccount,
    GrantApproval,
    OrderOtp,
    RecoverInCash,
    RefuseOtp,
    RefuseRefundAccount,
    RejectApproval,
    ResendOtp,
    RetryRefund,
    TypeOtp,
    WriteOff,
)
from domain.transaction.system_commands import (
    DistrustAccount,
    EnforceDeadline,
    ExtendDeadlines,
    LoseDeposit,
    RecordAnsweredQuestion,
    RecordNotice,
    RecordPaymentLink,
    RecordPaymentRefused,
    RecordRefusedQuestion,
    ReturnReceipts,
    WaitForAccount,
    WithholdPayable,
)
from domain.user import AccountDoubt
from tests.domain.holding import HOLD, LET_GO
from tests.domain.paths import (
    BUYER_KEY,
    REASON,
    addendum,
    answered,
    asked,
    cancel,
    charge,
    chargeback,
    compensating,
    completed,
    confirm,
    contract,
    dispute,
    disputed,
    funded,
    lost,
    order_answer,
    pay_out,
    paying,
    pending,
    refund,
    refunded,
    refunding,
    release,
    releasing,
    resolve,
    reveal,
    revealed,
    sign,
    signed,
    transfer,
)
from tests.domain.people import EVERYBODY
from tests.domain.story import LISTING_ID, TRANSACTION_ID, VAULT_ID, Story

PARTIES = {"buyer", "seller", "buyer with a staff role"}
BUYERS = {"buyer", "buyer with a staff role"}
SUPERS = {"super_admin", "second super_admin"}
STAFF = SUPERS | {"admin"}
OF_SELLER = PayoutPurpose.SELLER
ELSEWHERE = UUID(int=TRANSACTION_ID.int + 1)
COMMANDS = {module.__name__ for module in (commands, staff_commands, system_commands)}
ONLY_SYSTEM = {"system"}


def _unread(story: Story) -> Story:
    signed(story)
    story.do(reveal(), EVERYBODY["buyer"])
    return story


def _contractless(story: Story) -> Story:
    asked(story)
    story.do(charge(story))
    return story


def _overdue(story: Story) -> Story:
    return asked(story).wait(hours=24)


def _owing(story: Story) -> Story:
    paying(story)
    story.do(transfer(story.payout(), "success"))
    story.do(chargeback("lost"))
    return story


def _waiting(story: Story) -> Story:
    disputed(story)
    story.do(release(limit=0), EVERYBODY["super_admin"])
    return story


def _owing_elsewhere(story: Story) -> Story:
    """His money here is payable, and he owes on another sale."""
    _owing(story.beside(1))
    return releasing(story)


def _asked_for_password(story: Story) -> Story:
    paying(story)
    story.do(transfer(story.payout(), "otp"))
    return story


def _wants_account(story: Story) -> Story:
    refunding(story)
    story.do(refunded(story.refund(), "needs-attention"))
    return story


_GIVEN = GiveRefundAccount(reason=REASON, content_id=LISTING_ID, content_sha256="a")


def _gave_account(story: Story) -> Story:
    _wants_account(story)
    story.do(_GIVEN)
    return story


def _charged_back(story: Story) -> Story:
    completed(story)
    story.do(chargeback("open"))
    return story


def _answering(story: Story) -> Story:
    _charged_back(story)
    story.do(order_answer(story.dispute()))
    return story


def _held_back(story: Story) -> Story:
    paying(story)
    story.do(HOLD)
    return story


def _unanswered(story: Story) -> Story:
    paying(story)
    story.do(RecordRefusedQuestion(reference=story.payout(), refusal="unknown"))
    return story


Make = Callable[[Story], Command]
CASES: dict[str, tuple[Callable[[Story], Story], Make, set[str]]] = {
    "cancel": (asked, lambda s: cancel(), PARTIES),
    "cancel what is paid": (funded, lambda s: cancel(), PARTIES),
    "pay": (lambda s: s, lambda s: RequestPayment(), BUYERS | ONLY_SYSTEM),
    "link": (asked, lambda s: RecordPaymentLink(reference="x", authorization_url_sha256="f"), ONLY_SYSTEM),
    "refusal": (asked, lambda s: RecordPaymentRefused(reference="x", reason="no"), ONLY_SYSTEM),
    "charge": (asked, charge, ONLY_SYSTEM),
    "contract": (_contractless, lambda s: contract(), ONLY_SYSTEM),
    "sign": (funded, lambda s: sign(BUYER_KEY), PARTIES),
    "reveal": (signed, lambda s: reveal(), BUYERS),
    "acknowledge": (_unread, lambda s: AcknowledgeReveal(), BUYERS),
    "confirm": (revealed, lambda s: confirm(), BUYERS),
    "lose": (signed, lambda s: LoseDeposit(), ONLY_SYSTEM),
    "replace": (lost, lambda s: ReplaceDeposit(vault_id=VAULT_ID, addendum=addendum()), {"seller"}),
    "miss": (_unread, lambda s: MissReveal(), BUYERS),
    "extend": (revealed, lambda s: ExtendInspection(seconds=60, reason=REASON), STAFF | {"seller"}),
    "dispute": (funded, lambda s: dispute(), PARTIES | STAFF),
    "withdraw": (disputed, lambda s: WithdrawDispute(dispute_id=s.dispute()), BUYERS),
    "state access": (revealed, lambda s: RecordStatement(content_id=LISTING_ID, content_sha256="a"), BUYERS),
    "deadline": (_overdue, lambda s: EnforceDeadline(), ONLY_SYSTEM),
    "outage": (asked, lambda s: ExtendDeadlines(seconds=60, reason=REASON), ONLY_SYSTEM),
    "pay out": (releasing, lambda s: pay_out(), ONLY_SYSTEM),
    "wait for account": (releasing, lambda s: WaitForAccount(purpose=OF_SELLER, usable_at=s.now), ONLY_SYSTEM),
    "distrust account": (
        releasing,
        lambda s: DistrustAccount(purpose=OF_SELLER, doubt=AccountDoubt.DIFFERS),
        ONLY_SYSTEM,
    ),
    "withhold": (_owing_elsewhere, lambda s: WithholdPayable(owing_transaction_id=ELSEWHERE), ONLY_SYSTEM),
    "begin hold": (paying, lambda _: HOLD, ONLY_SYSTEM),
    "end hold": (_held_back, lambda _: LET_GO, ONLY_SYSTEM),
    "refused question": (paying, lambda s: RecordRefusedQuestion(reference=s.payout(), refusal="u"), ONLY_SYSTEM),
    "answered question": (_unanswered, lambda s: RecordAnsweredQuestion(reference=s.payout()), ONLY_SYSTEM),
    "order answer": (_charged_back, lambda s: order_answer(s.dispute()), ONLY_SYSTEM),
    "answer": (_answering, lambda s: answered(s.dispute(), "sha256:aa"), ONLY_SYSTEM),
    "password": (_asked_for_password, lambda s: TypeOtp(reason=REASON), SUPERS | ONLY_SYSTEM),
    "password taken": (
        _asked_for_password,
        lambda s: FinalizePayout(reason=REASON, report=transfer(s.payout(), "success").report),
        SUPERS | ONLY_SYSTEM,
    ),
    "password refused": (
        _asked_for_password,
        lambda s: RefuseOtp(refusal="no", report=transfer(s.payout(), "otp").report),
        SUPERS | ONLY_SYSTEM,
    ),
    "password again": (_asked_for_password, lambda s: OrderOtp(), SUPERS | ONLY_SYSTEM),
    "password resent": (_asked_for_password, lambda s: ResendOtp(reference=s.payout()), SUPERS | ONLY_SYSTEM),
    "account of a refund": (
        _wants_account,
        lambda s: _GIVEN,
        SUPERS | ONLY_SYSTEM,
    ),
    "account taken": (
        _gave_account,
        lambda s: RetryRefund(
            reason=REASON,
            content_id=LISTING_ID,
            content_sha256="a",
            report=refunded(s.refund(), "processing").report,
        ),
        SUPERS | ONLY_SYSTEM,
    ),
    "account refused": (
        _gave_account,
        lambda s: RefuseRefundAccount(
            content_id=LISTING_ID, refusal="no", report=refunded(s.refund(), "needs-attention").report
        ),
        SUPERS | ONLY_SYSTEM,
    ),
    "transfer": (paying, lambda s: transfer(s.payout(), "success"), ONLY_SYSTEM),
    "refund report": (refunding, lambda s: refunded(s.refund(), "processed"), ONLY_SYSTEM),
    "chargeback": (funded, lambda s: chargeback("open"), ONLY_SYSTEM),
    "return receipts": (funded, lambda s: ReturnReceipts(), ONLY_SYSTEM),
    "notice": (funded, lambda s: RecordNotice(template="t", channel="c", user_ids=(), outcome="sent"), ONLY_SYSTEM),
    "note": (funded, lambda s: AddNote(text="n"), STAFF),
    "release by force": (disputed, lambda s: release(), SUPERS),
    "refund by force": (disputed, lambda s: refund(), SUPERS),
    "resolve": (disputed, lambda s: resolve(s, Finding.SELLER), STAFF),
    "divide": (disputed, lambda s: resolve(s, Finding.UNCLEAR, to_buyer_minor=1, to_seller_minor=1), SUPERS),
    "compensate": (disputed, lambda s: resolve(s, Finding.PLATFORM, compensation_minor=1), SUPERS),
    "grant": (
        compensating,
        lambda s: Compensate(amount_minor=1, reason=REASON, limit_usd_cents=10**9),
        SUPERS,
    ),
    "escalate": (disputed, lambda s: EscalateDispute(dispute_id=s.dispute(), reason=REASON), STAFF | ONLY_SYSTEM),
    "approve": (_waiting, lambda s: GrantApproval(approval_id=s.approval()), {"second super_admin"}),
    "reject": (_waiting, lambda s: RejectApproval(approval_id=s.approval(), reason=REASON), SUPERS),
    "recover": (_owing, lambda s: RecoverInCash(amount_minor=1, reason=REASON), SUPERS),
    "write off": (_owing, lambda s: WriteOff(amount_minor=1, reason=REASON), SUPERS),
}


def test_every_command_is_tried_on_everybody():
    tried = {type(make(path(pending()))).__name__ for path, make, _ in CASES.values()}
    assert tried == {kind.__name__ for kind in TransactionCommand.__subclasses__() if kind.__module__ in COMMANDS}


@pytest.mark.parametrize("name", CASES)
def test_strangers_find_nothing_and_the_others_are_forbidden(name: str):
    path, make, may = CASES[name]
    story = path(pending())
    for person, actor in EVERYBODY.items():
        if person in may:
            continue
        expected = NotFound if person in {"stranger", "other seller"} else Forbidden
        error = story.fork()
        with pytest.raises(Forbidden if expected is Forbidden else NotFound):
            error.do(make(error), actor, TRANSACTION_ID)


@pytest.mark.parametrize("name", CASES)
def test_those_who_may_can(name: str):
    path, make, may = CASES[name]
    story = path(pending())
    for person in may:
        twin = story.fork()
        twin.do(make(twin), EVERYBODY[person])
