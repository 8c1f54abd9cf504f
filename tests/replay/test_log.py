"""Whoever changes the log is found, at the position that he changed."""

import hashlib
import json

import psycopg
import pytest

from replay.blocks import find_unreadable
from replay.finding import Finding, FindingKind, Findings
from replay.log import connect_reading, list_unchecked, verify_log
from tests.replay.conftest import Damage, Recorded, check_log, find
from tests.replay.damaging import REHASH, read_state, rewrite
from tests.replay.world import Market, record

AT = 100


def kinds(findings: list[Finding]) -> set[FindingKind]:
    return {finding.kind for finding in findings}


def test_an_honest_log_has_no_findings(recorded: Recorded) -> None:
    findings, summary = check_log(recorded, expected_head=recorded.head)
    assert findings == []
    assert summary.events == summary.head == recorded.head
    assert summary.streams > 10


def test_an_empty_log_has_no_findings(database: object, recorded: Recorded, damage: Damage) -> None:
    damage("TRUNCATE escrow_events")
    damage("TRUNCATE idempotency")
    findings, summary = check_log(recorded)
    assert findings == []
    assert summary == (0, 0, 0, {}, ())


@pytest.mark.parametrize("seed", range(10, 16))
def test_whatever_the_domain_records_is_legal(recorded: Recorded, seed: int) -> None:
    other = Recorded(recorded.database, Market(seed).run(sales=6, steps=250), 0)
    with psycopg.connect(recorded.database.superuser_dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("TRUNCATE escrow_events")
    record(recorded.database.owner_dsn, other.market)
    assert check_log(other)[0] == []


def test_the_summary_balances_and_says_whether_clients_money_is_covered(recorded: Recorded) -> None:
    _, summary = check_log(recorded)
    accounts = summary.trial_balance["KES"]
    assert sum(accounts.values()) == 0
    (cover,) = [cover for cover in summary.safeguards if cover.currency == "KES"]
    assert cover.is_covered
    assert cover.assets_minor - cover.liabilities_minor >= cover.least_cover_minor
    assert 1 <= cover.least_cover_position <= recorded.head
    told = json.loads(json.dumps(summary.as_json()))["safeguards"]
    assert [row["is_covered"] for row in told if row["currency"] == "KES"] == [True]


def test_uncovered_money_is_told_and_where_it_was_worst(recorded: Recorded, damage: Damage) -> None:
    damage("TRUNCATE escrow_events")
    market = Market(4)
    sale = market.list_account()
    sale.open()
    sale.pay()
    paid = Recorded(recorded.database, market, record(recorded.database.owner_dsn, market))
    findings, summary = check_log(paid)
    (cover,) = summary.safeguards
    assert findings == []  # the charge fee took clients' money: a matter for the treasury, not damage
    assert not cover.is_covered
    assert (cover.least_cover_minor, cover.least_cover_position) == (-1500, paid.head)


CHANGES = {
    "originator_id": "UPDATE escrow_events SET originator_id = gen_random_uuid() WHERE notification_id = %s",
    "originator_version": "UPDATE escrow_events SET originator_version = 900 WHERE notification_id = %s",
    "topic": "UPDATE escrow_events SET topic = topic || 'x' WHERE notification_id = %s",
    "state": "UPDATE escrow_events SET state = set_byte(state, 40, get_byte(state, 40) # 1) WHERE notification_id = %s",
    "recorded_at": "UPDATE escrow_events SET recorded_at = recorded_at + interval '1 us' WHERE notification_id = %s",
    "infinity": "UPDATE escrow_events SET recorded_at = 'infinity' WHERE notification_id = %s",
    "leaf_hash": "UPDATE escrow_events SET leaf_hash = set_bit(leaf_hash, 7, 1 - get_bit(leaf_hash, 7)) "
    "WHERE notification_id = %s",
}


@pytest.mark.parametrize("position", [1, AT, -1])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_column_is_named_by_its_position(
    recorded: Recorded, damage: Damage, change: str, position: int
) -> None:
    at = position if position > 0 else recorded.head
    damage(CHANGES[change], (at,))
    assert at in {finding.position for finding in find(recorded, FindingKind.LEAF_HASH_DIFFERS)}


def test_every_single_byte_of_a_state_counts(recorded: Recorded, damage: Damage) -> None:
    damage(
        "UPDATE escrow_events SET state = set_byte(state, notification_id::int % 200, 7) WHERE notification_id % 3 = 0"
    )
    named = {finding.position for finding in find(recorded, FindingKind.LEAF_HASH_DIFFERS)}
    assert named == set(range(3, recorded.head + 1, 3))


def test_damage_at_a_hundred_random_places_is_named_place_by_place(recorded: Recorded, damage: Damage) -> None:
    places = sorted(recorded.market.random.sample(range(1, recorded.head + 1), 100))
    changes = [change for name, change in CHANGES.items() if name != "originator_version"]
    for number, place in enumerate(places):
        damage(changes[number % len(changes)], (place,))
    assert [finding.position for finding in find(recorded, FindingKind.LEAF_HASH_DIFFERS)] == places


def test_two_swapped_rows_are_both_named(recorded: Recorded, damage: Damage) -> None:
    damage("UPDATE escrow_events SET notification_id = 1000000 WHERE notification_id = %s", (AT,))
    damage("UPDATE escrow_events SET notification_id = %s WHERE notification_id = %s", (AT, AT + 50))
    damage("UPDATE escrow_events SET notification_id = %s WHERE notification_id = 1000000", (AT + 50,))
    named = {finding.position for finding in find(recorded, FindingKind.LEAF_HASH_DIFFERS)}
    assert named == {AT, AT + 50}


@pytest.mark.parametrize("wild", [2**60, 0, -7])
def test_a_wild_position_beside_a_page_that_cannot_be_read_is_named(
    recorded: Recorded, damage: Damage, wild: int
) -> None:
    """The search through the blocks holds a byte for each position, and no more than the blocks have room for."""
    damage("ALTER TABLE escrow_events DROP CONSTRAINT escrow_events_position_starts_at_1")
    damage("UPDATE escrow_events SET notification_id = %s WHERE notification_id = %s", (wild, AT))
    findings = Findings()
    with connect_reading(recorded.database.auditor_dsn) as connection:
        highest = find_unreadable(connection, findings)
    assert highest == recorded.head
    assert [(finding.kind, finding.position) for finding in findings.kept] == [
        (FindingKind.POSITION_OUT_OF_ORDER, wild),
        (FindingKind.POSITION_MISSING, AT),
    ]
    assert wild in {finding.position for finding in find(recorded, FindingKind.LEAF_HASH_DIFFERS)}


@pytest.mark.parametrize("position", [1, AT])
def test_a_deleted_row_is_named(recorded: Recorded, damage: Damage, position: int) -> None:
    damage("DELETE FROM escrow_events WHERE notification_id = %s", (position,))
    (finding,) = find(recorded, FindingKind.POSITION_MISSING)
    assert (finding.position, finding.expected) == (position, str(position))


def test_a_deleted_range_is_one_finding(recorded: Recorded, damage: Damage) -> None:
    damage("DELETE FROM escrow_events WHERE notification_id BETWEEN 50 AND 59")
    (finding,) = find(recorded, FindingKind.POSITION_MISSING)
    assert finding.expected == "50 to 59"


def test_a_deleted_tail_is_found_against_a_head_from_elsewhere(recorded: Recorded, damage: Damage) -> None:
    damage("DELETE FROM escrow_events WHERE notification_id > %s", (recorded.head - 10,))
    damage("DELETE FROM idempotency WHERE last_position > %s", (recorded.head - 10,))
    alone = check_log(recorded)[0]
    assert kinds(alone) <= {FindingKind.COMMAND_MISSING}
    findings, _ = check_log(recorded, expected_head=recorded.head)
    (finding,) = [finding for finding in findings if finding.kind is FindingKind.HEAD_DIFFERS]
    assert finding.position == recorded.head - 9


def test_a_lost_tail_shows_in_the_commands_that_wrote_it(recorded: Recorded, damage: Damage) -> None:
    damage("DELETE FROM escrow_events WHERE notification_id > %s", (recorded.head - 10,))
    (finding,) = find(recorded, FindingKind.HEAD_DIFFERS)
    assert (finding.position, finding.expected) == (
        recorded.head - 9,
        f"events up to {recorded.head}, which a command wrote",
    )
    assert FindingKind.HEAD_DIFFERS not in kinds(check_log(recorded, expected_head=recorded.head - 10)[0])


def test_what_was_not_checked_is_said() -> None:
    assert "newest events" in list_unchecked(None)[0]
    assert not any("newest events" in text for text in list_unchecked(7))
    assert any("checkpoints" in text for text in list_unchecked(7))
    assert any("outside the log" in text for text in list_unchecked(7))
    assert any("functions and views" in text for text in list_unchecked(7))


def test_a_deleted_last_event_leaves_its_command_behind(recorded: Recorded, damage: Damage) -> None:
    damage("DELETE FROM escrow_events WHERE notification_id = %s", (recorded.head,))
    assert kinds(check_log(recorded)[0]) & {FindingKind.COMMAND_EXTRA, FindingKind.COMMAND_DIFFERS}


def test_renumbered_rows_are_named(recorded: Recorded, damage: Damage) -> None:
    damage("DELETE FROM escrow_events WHERE notification_id = %s", (AT,))
    damage("UPDATE escrow_events SET notification_id = notification_id + 1000000 WHERE notification_id > %s", (AT,))
    damage("UPDATE escrow_events SET notification_id = notification_id - 1000001 WHERE notification_id > 1000000")
    named = [finding.position for finding in find(recorded, FindingKind.LEAF_HASH_DIFFERS)]
    assert named == list(range(AT, recorded.head))


def test_a_row_that_was_added_twice_is_named(recorded: Recorded, damage: Damage) -> None:
    damage("ALTER TABLE escrow_events DROP CONSTRAINT escrow_events_position, DROP CONSTRAINT escrow_events_version")
    damage("INSERT INTO escrow_events SELECT * FROM escrow_events WHERE notification_id = %s", (AT,))
    findings, _ = check_log(recorded)
    assert {FindingKind.POSITION_OUT_OF_ORDER, FindingKind.VERSION_OUT_OF_ORDER} <= kinds(findings)
    assert {finding.position for finding in findings if finding.kind is FindingKind.POSITION_OUT_OF_ORDER} == {AT}


def test_time_that_runs_backwards_is_named_even_when_rehashed(recorded: Recorded, damage: Damage) -> None:
    damage("UPDATE escrow_events SET recorded_at = recorded_at - interval '1 hour' WHERE notification_id = %s", (AT,))
    damage(REHASH, (AT,))
    (finding,) = check_log(recorded)[0]
    assert (finding.kind, finding.position, finding.column) == (FindingKind.TIME_BACKWARDS, AT, "recorded_at")


def append_raw(recorded: Recorded, damage: Damage, topic: str, state: bytes) -> int:
    """Append an event with a right leaf hash, as somebody with the owner's rights could."""
    position = recorded.head + 1
    damage(
        "INSERT INTO escrow_events (originator_id, originator_version, topic, state, notification_id, recorded_at, "
        "leaf_hash) VALUES (gen_random_uuid(), 1, %s, %s, %s, now() + interval '10 years', sha256(''))",
        (topic, state, position),
    )
    damage(REHASH, (position,))
    return position


@pytest.mark.parametrize(
    ("topic", "state", "kind"),
    [
        ("transaction.note_added.v9", b"{}", FindingKind.TOPIC_UNKNOWN),
        ("transaction.note_added.v1", b"{", FindingKind.UNDECODABLE),
        ("transaction.note_added.v1", b'{"text":1.5}', FindingKind.UNDECODABLE),
        ("transaction.note_added.v1", b"\xff\x00", FindingKind.UNDECODABLE),
        ("transaction.payment_received.v1", b"[" * 100_000, FindingKind.UNDECODABLE),
        ("transaction.payment_received.v1", b'{"currency":"KES","postings":[[1]]}', FindingKind.UNDECODABLE),
    ],
)
def test_what_nobody_can_read_is_named(
    recorded: Recorded, damage: Damage, topic: str, state: bytes, kind: FindingKind
) -> None:
    position = append_raw(recorded, damage, topic, state)
    findings, _ = check_log(recorded)
    assert (kind, position) in {(finding.kind, finding.position) for finding in findings}
    assert FindingKind.COMMAND_MISSING in kinds(findings)
    assert FindingKind.LEAF_HASH_DIFFERS not in kinds(findings)


def test_an_event_without_a_beginning_is_illegal(recorded: Recorded, damage: Damage) -> None:
    state = read_state(recorded, "transaction.opened.v1")[1]
    note = {k: state[k] for k in ("timestamp", "actor_id", "actor_role", "command_id", "request_digest", "request_id")}
    text = json.dumps(note | {"text": "out of nowhere"}, sort_keys=True, separators=(",", ":"))
    position = append_raw(recorded, damage, "transaction.note_added.v1", text.encode())
    (finding,) = find(recorded, FindingKind.ILLEGAL)
    assert finding.position == position
    assert "begins a stream" in str(finding.expected)


def test_an_unbalanced_journal_is_named(recorded: Recorded, damage: Damage) -> None:
    _, state = read_state(recorded, "transaction.payment_received.v1")
    lines = state["postings"]
    assert isinstance(lines, list)
    lines[0][2] += 1
    position = rewrite(recorded, damage, "transaction.payment_received.v1", postings=lines)
    (finding,) = find(recorded, FindingKind.UNBALANCED)
    assert finding.position == position


def test_what_one_sale_gave_and_no_other_took_is_named_once(recorded: Recorded, damage: Damage) -> None:
    _, state = read_state(recorded, "transaction.payment_received.v1")
    price = state["amount_minor"]
    lines = [["paystack:uncleared", "", price], ["clearing:recoveries", "", -price]]  # type: ignore[operator]
    position = rewrite(recorded, damage, "transaction.payment_received.v1", postings=lines)
    (finding,) = find(recorded, FindingKind.UNBALANCED)
    assert (finding.column, finding.found) == ("clearing:recoveries", str(-price))  # type: ignore[operator]
    assert finding.position is not None
    assert finding.position > position


def test_a_liability_below_zero_is_named(recorded: Recorded, damage: Damage) -> None:
    _, state = read_state(recorded, "transaction.payment_received.v1")
    price = state["amount_minor"]
    lines = [["seller:payable", "", price], ["paystack:uncleared", "", -price]]  # type: ignore[operator]
    rewrite(recorded, damage, "transaction.payment_received.v1", postings=lines)
    assert {f.kind for f in check_log(recorded)[0]} & {FindingKind.LIABILITY_NEGATIVE}


@pytest.mark.parametrize(
    ("topic", "changes"),
    [
        ("transaction.payment_received.v1", {"amount_minor": 1}),
        ("transaction.funds_held.v1", {"amount_minor": 1}),
        ("transaction.contract_signed.v1", {"content_sha256": "0" * 64}),
        ("transaction.credentials_revealed.v1", {"to_user_id": "00000000-0000-7000-8000-000000000000"}),
        ("transaction.payout_requested.v1", {"amount_minor": 1}),
        ("transaction.release_ordered.v1", {"to_seller_minor": 1}),
        ("treasury.funds_moved.v1", {"amount_minor": 1}),
    ],
)
def test_an_event_that_could_not_have_come_about_is_named(
    recorded: Recorded, damage: Damage, topic: str, changes: dict[str, object]
) -> None:
    position = rewrite(recorded, damage, topic, **changes)
    assert position in {finding.position for finding in find(recorded, FindingKind.ILLEGAL)}


def test_an_event_of_another_stream_is_illegal(recorded: Recorded, damage: Damage) -> None:
    position, _ = read_state(recorded, "listing.submitted.v1")
    damage("UPDATE escrow_events SET topic = 'listing.approved.v1' WHERE notification_id = %s", (position,))
    damage(REHASH, (position,))
    assert position in {finding.position for finding in find(recorded, FindingKind.ILLEGAL)}


@pytest.mark.parametrize(
    ("statement", "kind", "column"),
    [
        ("DELETE FROM idempotency WHERE first_position = 60", FindingKind.COMMAND_MISSING, None),
        (
            "INSERT INTO idempotency SELECT sha256('x'), request_digest, 61, 61, stream_id, 1 FROM idempotency LIMIT 1",
            FindingKind.COMMAND_EXTRA,
            None,
        ),
        (
            "UPDATE idempotency SET request_digest = sha256('x') WHERE first_position = 60",
            FindingKind.COMMAND_DIFFERS,
            "request_digest",
        ),
        (
            "UPDATE idempotency SET command_id = sha256('x') WHERE first_position = 60",
            FindingKind.COMMAND_DIFFERS,
            "command_id",
        ),
        (
            "UPDATE idempotency SET last_position = last_position + 1 WHERE first_position = 60",
            FindingKind.COMMAND_DIFFERS,
            "last_position",
        ),
        (
            "UPDATE idempotency SET stream_id = gen_random_uuid() WHERE first_position = 60",
            FindingKind.COMMAND_DIFFERS,
            "stream_id",
        ),
        (
            "UPDATE idempotency SET stream_version = stream_version + 1 WHERE first_position = 60",
            FindingKind.COMMAND_DIFFERS,
            "stream_version",
        ),
    ],
)
def test_the_table_of_commands_is_held_against_the_log(
    recorded: Recorded, damage: Damage, statement: str, kind: FindingKind, column: str | None
) -> None:
    with psycopg.connect(recorded.database.owner_dsn) as connection:
        row = connection.execute("SELECT max(first_position) FROM idempotency WHERE first_position <= 60").fetchone()
    assert row is not None
    damage(statement.replace("= 60", f"= {row[0]}"))
    findings, _ = check_log(recorded)
    assert (kind, column) in {(finding.kind, finding.column) for finding in findings}
    assert kinds(findings) <= {kind, FindingKind.COMMAND_DIFFERS}


def test_the_leaf_is_computed_as_the_page_says(recorded: Recorded) -> None:
    """Byte by byte from design, in other words than the product's."""
    with psycopg.connect(recorded.database.owner_dsn) as connection:
        row = connection.execute(
            "SELECT originator_id, originator_version, topic, extract(epoch FROM recorded_at) * 1000000, state, "
            "leaf_hash FROM escrow_events WHERE notification_id = 7"
        ).fetchone()
    assert row is not None
    stream, version, topic, microseconds, state, leaf = row
    text = b"\x00escrow-leaf-v1" + (7).to_bytes(8, "big") + stream.bytes + version.to_bytes(8, "big")
    text += len(topic).to_bytes(4, "big") + topic.encode() + int(microseconds).to_bytes(8, "big")
    assert hashlib.sha256(text + len(state).to_bytes(4, "big") + state).digest() == leaf


def test_two_processes_find_what_one_finds(recorded: Recorded, damage: Damage) -> None:
    damage("UPDATE escrow_events SET state = state || ' ' WHERE notification_id % 17 = 0")
    alone = check_log(recorded)[0]
    together = Findings()
    verify_log(recorded.database.auditor_dsn, together, processes=2)
    assert sorted(map(str, together.kept)) == sorted(map(str, alone))


def test_memory_is_bounded_by_keeping_the_first_and_counting_the_rest(recorded: Recorded, damage: Damage) -> None:
    damage("UPDATE escrow_events SET leaf_hash = sha256('')")
    findings = Findings(limit=10)
    verify_log(recorded.database.auditor_dsn, findings, processes=1)
    assert len(findings.kept) == 10
    assert findings.counts[FindingKind.LEAF_HASH_DIFFERS] == recorded.head
