"""What each table says after a story."""

import base64
from collections import Counter
from functools import partial
from uuid import UUID

import psycopg
import pytest

from domain.actor import Actor, Role
from domain.money import MAX_AMOUNT_MINOR
from domain.transaction.dispute import Award
from domain.transaction.records import DisputeCategory, Finding
from domain.transaction.transfer import TransferStatus
from domain.user import RegisterUser
from projections.registry import PROJECTIONS
from tests.domain.paths import addendum
from tests.projections.conftest import Log
from tests.projections.stories import SYSTEM, Story
from tests.projections.wandering import REASON, wander


def test_the_tables_have_the_columns_that_the_folds_fill(log: Log) -> None:
    for projection in PROJECTIONS:
        for table in projection.tables:
            found = log.rows(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [table.name]
            )
            assert {name for (name,) in found} == set(table.columns)


def test_a_deposit_knows_its_sale_and_when_it_was_shown_to_whom(log: Log) -> None:
    story = Story()
    sale = story.sell()
    log.tell(story.events)
    query = """
    SELECT transaction_id, seller_id, revealed_to_user_id, octet_length(ciphertext), granted_at < revealed_at,
           revealed_at < acknowledged_at, acknowledged_at < destroyed_at, lost_at
    FROM credential_vaults WHERE listing_id = %s
    """
    assert log.rows(query, [sale.listing.id]) == [
        (sale.transaction.id, UUID(sale.seller.id), UUID(sale.buyer.id), 300, True, True, True, None)
    ]
    (stored,) = log.rows("SELECT ciphertext FROM credential_vaults")
    sealed = log.rows("SELECT state FROM escrow_events WHERE topic = 'vault.credentials_sealed.v1'")
    assert isinstance(stored[0], bytes)
    assert isinstance(sealed[0][0], bytes)
    assert base64.b64encode(stored[0]) in sealed[0][0]


def test_a_deposit_that_is_sold_again_forgets_the_grant_of_the_sale_that_failed(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    sale.open()
    sale.pay()
    sale.sign()
    sale.act(sale.buyer, lambda: sale.transaction.cancel(REASON))
    sale.act(sale.seller, lambda: sale.transaction.cancel(REASON))
    sale.refund_all()
    story.act(sale.listing, SYSTEM, lambda: sale.listing.follow_end(sale.transaction.id, sold=False, shown=False))
    assert sale.transaction.state == "refunded"
    first = sale.transaction.id
    sale.open()
    log.tell(story.events)
    found = log.rows("SELECT transaction_id, granted_at, buyer_key_fingerprint FROM credential_vaults")
    assert found == [(sale.transaction.id, None, None)]
    states = log.rows("SELECT id, state, refunded_at IS NOT NULL, refunded_minor FROM transactions ORDER BY created_at")
    assert states == [(first, "refunded", True, 100_000), (sale.transaction.id, "pending", False, 0)]
    assert log.rows("SELECT state, transaction_id FROM listings") == [("reserved", sale.transaction.id)]


def test_a_failed_payout_is_a_p0_and_the_next_one_has_a_row_of_its_own(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    for step in (sale.open, sale.pay, sale.sign, sale.reveal, sale.confirm):
        step()
    sale.pay_out(TransferStatus.REVERSED)
    log.tell(story.events)
    assert log.rows("SELECT state, stuck_reason FROM transactions") == [
        ("payout_failed", "payout_reversed: the bank said no")
    ]
    assert log.rows("SELECT severity, kind, detail FROM alerts ORDER BY severity") == [
        ("P0", "payout_failed", "the bank said no"),
        ("P2", "payout_attempt_failed", "the bank said no"),
    ]
    sale.pay_out()
    log.tell(story.events)
    found = log.rows("SELECT attempt, status, fee_minor, failure, concluded_at IS NOT NULL FROM payouts ORDER BY 1")
    assert found == [(1, "reversed", 20, "the bank said no", True), (2, "succeeded", 20, None, True)]
    assert log.rows("SELECT state, completed_at IS NOT NULL FROM transactions") == [("completed", True)]


def test_a_payout_whose_fee_is_not_known_yet_has_none(log: Log) -> None:
    """Paystack tells the fee later, and zero would be an answer."""
    story = Story()
    sale = story.list_account()
    for step in (sale.open, sale.pay, sale.sign, sale.reveal, sale.confirm):
        step()
    sale.pay_out(fee_minor=None)
    log.tell(story.events)
    assert log.rows("SELECT status, fee_minor FROM payouts") == [("succeeded", None)]
    sale.report_transfer(TransferStatus.SUCCESS, fee_minor=20)
    log.tell(story.events)
    assert log.rows("SELECT status, fee_minor FROM payouts") == [("succeeded", 20)]


def test_a_deposit_that_is_handed_over_once_more_is_not_lost_any_more(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    for step in (sale.open, sale.pay, sale.sign):
        step()
    sale.act(SYSTEM, sale.transaction.lose_deposit)
    log.tell(story.events)
    lost = "SELECT lost_at IS NOT NULL, granted_at IS NOT NULL FROM credential_vaults"
    assert log.rows(lost) == [(True, True)]
    sale.act(sale.seller, lambda: sale.transaction.replace_deposit(sale.transaction.vault_id, addendum("b" * 64)))
    log.tell(story.events)
    assert log.rows(lost) == [(False, True)]


def test_a_decision_of_staff_leaves_note_action_and_alert_from_one_append(log: Log) -> None:
    story = Story()
    sale = story.list_account()
    for step in (sale.open, sale.pay, sale.sign, sale.reveal):
        step()
    dispute_id = story.id()
    sale.act(sale.buyer, lambda: sale.transaction.open_dispute(dispute_id, DisputeCategory.NOT_WORKING, None, None))
    award = Award(finding=Finding.SELLER, reason=REASON)
    sale.act(story.chief, lambda: sale.transaction.resolve_dispute(dispute_id, award, 0))
    (approval_id,) = sale.transaction.approvals
    log.tell(story.events)
    assert log.rows("SELECT status, action, requested_by FROM approvals") == [("requested", "resolve", story.chief.id)]
    sale.act(story.second_chief, lambda: sale.transaction.grant_approval(approval_id))
    log.tell(story.events)
    assert log.rows("SELECT status, decided_by FROM approvals") == [("granted", story.second_chief.id)]
    assert log.rows("SELECT state, finding, decided_by FROM disputes") == [
        ("resolved", "seller", story.second_chief.id)
    ]
    actions = log.rows("SELECT action, actor_id, requested_by, reason FROM admin_actions ORDER BY position OFFSET 1")
    assert actions == [
        ("request_approval", story.chief.id, None, REASON),
        ("approve", story.second_chief.id, story.chief.id, None),
        ("resolve", story.second_chief.id, story.chief.id, REASON),
        ("note", story.second_chief.id, None, REASON),
        ("resolve_dispute", story.second_chief.id, None, REASON),
    ]
    assert log.rows("SELECT text, author_role FROM transaction_notes") == [(REASON, "super_admin")]
    alerts = log.rows("SELECT severity, kind FROM alerts ORDER BY position")
    assert alerts == [("P2", "dispute_opened"), ("P2", "approval_requested"), ("P1", "admin_resolve")]
    assert log.rows("SELECT status, basis, amount_minor FROM refunds") == [("approved", "award", 100_000)]


STARTS = (
    (frozenset({Role.SUPER_ADMIN, Role.AUDITOR}), frozenset[Role]()),
    (frozenset({Role.BUYER}), frozenset({Role.OPERATOR})),
    (frozenset({Role.SELLER}), frozenset({Role.BUYER})),
)


def test_whoever_may_do_more_than_trade_is_told_of_however_he_came_by_it(log: Log) -> None:
    story, ids = Story(), []
    for first, then in STARTS:
        ids.append(story.id())
        user = RegisterUser(roles=first).create(ids[-1], story.context(SYSTEM))
        story.act(user, SYSTEM, lambda: user.change_roles(first | then))  # noqa: B023
    log.tell(story.events)
    alerts = log.rows("SELECT severity, kind, subject, detail FROM alerts ORDER BY position")
    assert alerts == [
        ("P1", "role_granted", str(ids[0]), "auditor, super_admin"),
        ("P1", "role_granted", str(ids[1]), "operator"),
    ]
    actions = log.rows("SELECT action, subject_id, detail FROM admin_actions ORDER BY position")
    assert actions == [
        ("grant_role", ids[0], "roles=auditor super_admin"),
        ("grant_role", ids[1], "role=operator"),
        ("grant_role", ids[2], "role=buyer"),
    ]


def test_an_account_that_is_shared_and_in_another_name_says_both(log: Log) -> None:
    story = Story()
    user_id, other = story.id(), story.id()
    user = RegisterUser(roles=frozenset({Role.SELLER})).create(user_id, story.context(SYSTEM))
    for shared_with in ((), (other,)):
        change = partial(
            user.change_payout_account,
            "a" * 64,
            is_first=True,
            cooling_seconds=0,
            shared_with=shared_with,
            name_matches=False,
        )
        story.act(user, Actor(str(user_id), Role.SELLER), change)
    log.tell(story.events)
    assert log.rows("SELECT severity, kind, detail FROM alerts ORDER BY position") == [
        ("P3", "payout_account_name_differs", None),
        ("P2", "payout_account_shared", f"with {other}, and the name differs"),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_tables_say_what_the_aggregates_say(log: Log, seed: int) -> None:
    """Whatever happens to a sale: the folds that read events one by one agree with the domain's own."""
    story, sales = wander(seed, sales=30, steps=600)
    seen = Counter(event.TOPIC for event in story.events)
    assert len(seen) > 40, "the wanderers saw too little of the domain"
    log.tell(story.events)
    transactions = [sale.transaction for sale in sales]
    assert log.rows("SELECT id, state, version, held_minor, stuck_reason FROM transactions ORDER BY id") == sorted(
        (t.id, t.state, t.version, t.held_minor, t.stuck_reason) for t in transactions
    )
    assert log.rows('SELECT reference, status, fee_minor FROM payouts ORDER BY reference COLLATE "C"') == sorted(
        (p.reference, str(p.status), p.fee_minor) for t in transactions for p in t.payouts.values()
    )
    assert log.rows('SELECT reference, status FROM refunds ORDER BY reference COLLATE "C"') == sorted(
        (r.reference, str(r.status)) for t in transactions for r in t.refunds.values()
    )
    assert log.rows("SELECT dispute_id, finding IS NULL, escalated_at IS NOT NULL FROM disputes ORDER BY 1") == sorted(
        (d.dispute_id, d.is_open, d.escalated) for t in transactions for d in t.disputes.values()
    )
    assert log.rows("SELECT approval_id, status FROM approvals ORDER BY 1") == sorted(
        (a.approval_id, str(a.status)) for t in transactions for a in t.approvals.values()
    )
    of_sales = {sale.listing.id: sale.listing.state for sale in sales}
    listed = dict(log.rows("SELECT id, state FROM listings"))
    drafts = dict.fromkeys(listed.keys() - of_sales.keys(), "draft")
    assert len(drafts) == 3, "those whose sellers put files to them"
    assert listed == of_sales | drafts
    (balances,) = log.rows("SELECT sum(balance_minor), sum(entries) FROM ledger_accounts")
    assert balances == log.rows("SELECT sum(amount_minor), count(*) FROM ledger_entries")[0]
    assert balances[0] == 0
    for transaction in transactions:
        booked = log.rows(
            "SELECT account, sum(amount_minor) FROM ledger_entries WHERE transaction_id = %s AND currency = 'KES'"
            " GROUP BY account HAVING sum(amount_minor) <> 0",
            [transaction.id],
        )
        assert dict(booked) == {str(a): amount for a, amount in transaction.balances.items() if amount}


def test_amounts_are_whole_numbers_in_range(log: Log) -> None:
    """F7: PostgreSQL's numeric would take NaN, and bigint a fraction."""
    story = Story()
    story.list_account(MAX_AMOUNT_MINOR).open()
    log.tell(story.events)
    assert log.rows("SELECT amount_minor FROM transactions") == [(MAX_AMOUNT_MINOR,)]
    for wrong in (
        "UPDATE transactions SET amount_minor = -1",
        "UPDATE transactions SET amount_minor = amount_minor + 1",
        "UPDATE transactions SET amount_usd = 'NaN'",
        "UPDATE transactions SET amount_usd = -1",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            log.rows(wrong)
