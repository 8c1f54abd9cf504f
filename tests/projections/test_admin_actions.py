"""Whatever a member of staff records is one of the actions, or follows from one."""

from domain.actor import COMMAND_LINE, STAFF, Role, reaction
from domain.event import Event
from domain.restore import DiscoverExternalPayment, PaymentKind, external_payment_id
from domain.transaction.records import DisputeCategory
from projections.admin_action import ADMIN_ACTIONS
from tests.domain.golden_files import events_of, list_files
from tests.projections.conftest import Log
from tests.projections.stories import SYSTEM, Story
from tests.projections.wandering import told

REASON = "the seller has sent it back"
LEFT_OUT = {
    "configuration.started.v1": "the settings as they are before anybody has changed one",
    "treasury.opened.v1": "an empty book; what is moved in it is an action",
    "transaction.approval_expired.v1": "nobody decided in time; it is written with the next command of anybody",
    "transaction.deadlines_extended.v1": "follows from an outage, for every open transaction alike",
    "transaction.clocks_resumed.v1": "follows from the end of a dispute, which is the action",
    "transaction.compensation_granted.v1": "follows from a decision, which is the action",
    "transaction.payout_requested.v1": "follows from a decision, which is the action",
    "transaction.payout_otp_refused.v1": "follows from typing a password, which is the action",
    "transaction.payout_succeeded.v1": "follows from typing a password, which is the action",
    "transaction.refund_account_refused.v1": "follows from giving an account, which is the action",
    "transaction.refund_processing.v1": "follows from giving an account, which is the action",
    "transaction.refund_ordered.v1": "follows from a decision, which is the action",
    "transaction.release_ordered.v1": "follows from a decision, which is the action",
    "transaction.split_ordered.v1": "follows from a decision, which is the action",
}


def tell_of_staff() -> Story:
    """A dispute that staff opened and withdrew, and three payments: lifted by staff, the operator and the program."""
    story = Story()
    sale = story.list_account()
    for step in (sale.open, sale.pay, sale.sign, sale.reveal):
        step()
    dispute_id = story.id()
    sale.act(story.chief, lambda: sale.transaction.open_dispute(dispute_id, DisputeCategory.FRAUD, None, None))
    sale.act(story.chief, lambda: sale.transaction.withdraw_dispute(dispute_id))
    for number, who in enumerate((story.chief, reaction(COMMAND_LINE), SYSTEM)):
        facts = {"reference": f"po-{number}", "processor_id": str(number), "transaction_id": sale.transaction.id}
        discover = DiscoverExternalPayment(
            kind=PaymentKind.TRANSFER, currency="KES", amount_minor=100_000, status="success", **facts
        )
        payment = discover.create(external_payment_id(PaymentKind.TRANSFER, str(number)), story.context(SYSTEM))
        story.keep(payment)
        story.act(payment, who, lambda payment=payment: payment.settle(REASON))
    return story


def test_staff_who_withdraw_a_dispute_or_lift_a_payment_are_told_of_and_so_is_the_operator(log: Log) -> None:
    story = tell_of_staff()
    log.tell(story.events)
    rows = log.rows(
        "SELECT action, actor_id, reason FROM admin_actions WHERE actor_id IN (%s, %s, %s) ORDER BY position",
        [story.chief.id, COMMAND_LINE, SYSTEM.id],
    )
    assert rows == [
        ("open_dispute", story.chief.id, None),
        ("withdraw_dispute", story.chief.id, None),
        ("settle_external_payment", story.chief.id, REASON),
        ("settle_external_payment", COMMAND_LINE, REASON),
    ]


def is_of_a_person(event: Event) -> bool:
    return event.actor_role in STAFF or event.actor_id == COMMAND_LINE


def test_a_party_who_withdraws_its_dispute_is_no_action(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    for step in (sale.open, sale.pay, sale.sign, sale.reveal):
        step()
    dispute_id = story.id()
    sale.act(sale.buyer, lambda: sale.transaction.open_dispute(dispute_id, DisputeCategory.FRAUD, None, None))
    sale.act(sale.buyer, lambda: sale.transaction.withdraw_dispute(dispute_id))
    log.tell(story.events)
    assert log.rows("SELECT action FROM admin_actions WHERE actor_role = %s", [Role.BUYER]) == []


def test_every_event_of_staff_is_an_action_or_follows_from_one() -> None:
    events = [event for path in list_files() for event in events_of(path)]
    events += [*tell_of_staff().events, *(event for seed in range(4) for event in told(seed, 4, 150))]
    of_staff = {event.TOPIC for event in events if is_of_a_person(event)}
    assert of_staff - ADMIN_ACTIONS.topics <= LEFT_OUT.keys()
    assert not LEFT_OUT.keys() & ADMIN_ACTIONS.topics
