"""People are told what happened, at least once and recognisably, and the log has each outcome exactly once."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest

from domain.transaction.commands import (
    AcknowledgeReveal,
    CancelTransaction,
    ConfirmAccess,
    ExtendInspection,
    RevealCredentials,
)
from domain.transaction.phase import Phase
from domain.transaction.staff_commands import ForceRefund
from gateways.mail import Mail, mail_over_smtp
from gateways.message import MessageRefused, MessageUndelivered
from identity.notification import count_outcomes, tell_user
from reactions.advance import advance
from reactions.notification import AT_ONCE, Notifier
from reactions.worker import Worker
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.gateways.smtp import mail_server
from tests.killed import Killed
from tests.reactions.disputes import decide, dispute
from tests.reactions.post import Post, deliver, open_post, told_in_log
from tests.reactions.working import beside
from tests.reactions.world import World, run
from tests.waiting import until

DAY_SECONDS = 86_400
OF_A_SALE = [
    "You reserved an account",
    "The payment is in escrow",
    "The contract is ready to be signed",
    "Both have signed: see the credentials now",
    "You have seen the credentials",
    "You have accepted the account",
]


def execute(database: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.owner_dsn) as connection:
        cursor = connection.execute(query)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


async def cancelled(world: World) -> UUID:
    """A transaction that was opened and called off: two events to tell of."""
    transaction_id = await world.open()
    await world.do(world.as_buyer, transaction_id, CancelTransaction(reason="changed my mind"))
    return transaction_id


def test_both_parties_are_told_of_every_step_of_a_sale_and_the_log_says_so_once(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await world.hold()
        await deliver(notifier)
        await world.confirm(transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        for _ in range(2):
            await deliver(notifier)
        assert set(OF_A_SALE) <= set(post.to(world.buyer))
        assert {"A buyer reserved your account", "The buyer has signed", "You were paid"} <= set(post.to(world.seller))
        assert len({mail.id for mail in post.letters}) == len(post.letters)
        told = await told_in_log(world, transaction_id)
        assert {(each.channel, each.outcome, each.actor_id) for each in told} == {("email", "sent", "notifications")}
        by_template = Counter(each.template for each in told)
        assert set(by_template.values()) == {1}
        both = next(each for each in told if each.template == "funds_held")
        assert set(both.user_ids) == {world.buyer.id, world.seller.id}
        of_sale = sum(len(each.user_ids) for each in told)
        assert of_sale == len([mail for mail in post.letters if str(transaction_id) in mail.text])

    run(database.app_dsn, story)


@pytest.mark.parametrize(("outcome", "ending"), [("won", "accepted our answer"), ("lost", "taken the payment back")])
def test_both_parties_are_told_how_a_chargeback_ended_that_came_after_a_forced_decision(
    database: Database, outcome: str, ending: str
) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await world.hold()
        world.wait(days=8)
        force = ForceRefund(amount_minor=40_000, reason="stuck for more than a week", limit_usd_cents=10**9)
        await world.do(SUPER, transaction_id, force)
        reference, number = await dispute(world, transaction_id, amount_minor=60_000)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await decide(world, number, outcome)
        await world.advance(transaction_id)
        await deliver(notifier)
        for user in (world.buyer, world.seller):
            letters = [mail for mail in post.letters if mail.address == user.email]
            (ended,) = (mail for mail in letters if mail.subject == "The dispute is decided")
            assert ending in ended.text
            assert "sale goes on" not in ended.text, "staff have decided about it"

    run(database.app_dsn, story)


def test_nobody_reads_a_secret_or_anything_about_the_other_but_the_role(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.advance(transaction_id)
        await deliver(notifier)
        secrets = ("0712345678", "MPESA", "plaintext", "example.com", str(world.buyer.id), str(world.seller.id))
        assert post.letters
        for mail in post.letters:
            for secret in secrets:
                assert secret not in mail.subject + mail.text + (mail.html or "")

    run(database.app_dsn, story)


def test_a_crash_after_sending_repeats_the_same_message_and_records_it_once(database: Database) -> None:
    async def story(world: World) -> None:
        dying, post = Post(killed_after=1), Post()
        notifier = await open_post(world, dying)
        transaction_id = await world.open()
        with suppress(Killed):
            await deliver(notifier)
        await deliver(await open_post(world, post))
        assert dying.letters
        again = {mail.id: mail for mail in post.letters}
        assert len(again) == len(post.letters)
        assert [again[mail.id] for mail in dying.letters] == dying.letters, "the same bytes under the same Message-ID"
        assert len(await told_in_log(world, transaction_id)) == 1

    run(database.app_dsn, story)


def test_a_crash_before_recording_sends_nothing_again_and_records_once(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await world.open()
        await deliver(notifier)
        # As if the process had died between the append and the mark that it was made.
        execute(database, "UPDATE notification_queue SET recorded_at = NULL")
        sent = len(post.letters)
        for _ in range(3):
            await deliver(await open_post(world, post))
        assert len(post.letters) == sent
        assert len(await told_in_log(world, transaction_id)) == 1

    run(database.app_dsn, story)


def test_following_the_log_again_tells_nobody_again(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await cancelled(world)
        await deliver(notifier)
        sent = len(post.letters)
        execute(database, "UPDATE reaction_checkpoints SET position = 0 WHERE name = 'notifications'")
        await deliver(await open_post(world, post))
        assert len(post.letters) == sent
        assert len(await told_in_log(world, transaction_id)) == 2

    run(database.app_dsn, story)


def test_a_queue_that_is_older_than_the_log_tells_nobody_what_the_log_says_was_told(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        transaction_id = await cancelled(world)
        await deliver(notifier)
        sent = len([mail for mail in post.letters if str(transaction_id) in mail.text])
        execute(database, "DELETE FROM notification_queue")
        execute(database, "UPDATE reaction_checkpoints SET position = 0 WHERE name = 'notifications'")
        again = Post()
        await deliver(await open_post(world, again))
        assert sent == 4
        assert [mail for mail in again.letters if str(transaction_id) in mail.text] == []
        assert len(await told_in_log(world, transaction_id)) == 2
        assert (await count_outcomes(world.pool))["email", "told_before"] == 4

    run(database.app_dsn, story)


def test_a_log_that_was_reacted_to_before_is_told_of_from_there_on(database: Database) -> None:
    async def story(world: World) -> None:
        await cancelled(world)
        facts = "SELECT 'reactions', max(position), now() FROM event_log"
        execute(database, f"INSERT INTO reaction_checkpoints (name, position, updated_at) {facts}")
        post = Post()
        notifier = await open_post(world, post)
        await deliver(notifier)
        assert post.letters == []
        await world.open()
        await deliver(notifier)
        assert "You reserved an account" in post.to(world.buyer)

    run(database.app_dsn, story)


def test_news_that_are_old_are_recorded_and_not_sent(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        transaction_id = await world.open()
        world.wait(days=4)
        await deliver(await open_post(world, post))
        assert post.letters == []
        [told] = await told_in_log(world, transaction_id)
        assert told.outcome == "too_old"

    run(database.app_dsn, story)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("UPDATE users SET email = NULL, erased_at = now() WHERE email = 'buyer@example.com'", "erased"),
        ("UPDATE users SET verified_at = NULL WHERE email = 'buyer@example.com'", "unverified"),
        ("SELECT 1", "refused"),
    ],
)
def test_somebody_who_cannot_be_told_is_recorded_and_holds_up_nobody(
    database: Database, change: str, outcome: str
) -> None:
    async def story(world: World) -> None:
        def refuse(mail: Mail) -> Exception | None:
            return MessageRefused("550") if outcome == "refused" and mail.address == world.buyer.email else None

        post = Post(failing=refuse)
        notifier = await open_post(world, post)
        transaction_id = await world.open()
        execute(database, change)
        await deliver(notifier)
        assert post.to(world.buyer) == []
        assert "A buyer reserved your account" in post.to(world.seller)
        told = {each.outcome: each.user_ids for each in await told_in_log(world, transaction_id)}
        assert told == {outcome: (world.buyer.id,), "sent": (world.seller.id,)}

    run(database.app_dsn, story)


def test_while_no_mail_leaves_money_moves_on_and_everything_is_sent_afterwards(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post(failing=lambda _mail: MessageUndelivered("ConnectionRefusedError"))
        notifier = await open_post(world, post)
        transaction_id = await world.hold()
        await deliver(notifier)
        await world.confirm(transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        await deliver(notifier)
        assert await told_in_log(world, transaction_id) == []
        post.failing = lambda _mail: None
        await deliver(notifier)
        assert post.letters == [], "it is tried again after a pause"
        world.wait(hours=2)
        await deliver(notifier)
        assert set(OF_A_SALE) <= set(post.to(world.buyer))
        assert {each.outcome for each in await told_in_log(world, transaction_id)} == {"sent"}

    run(database.app_dsn, story)


def test_what_was_tried_for_three_days_is_given_up_and_recorded(database: Database) -> None:
    async def story(world: World) -> None:
        tried = Counter[UUID]()

        def fail(mail: Mail) -> Exception:
            tried[mail.id] += 1
            return MessageUndelivered("451")

        notifier = await open_post(world, Post(failing=fail))
        transaction_id = await world.open()
        for _ in range(10):
            await deliver(notifier)
            await deliver(notifier)
            world.wait(hours=8)
        [told] = await told_in_log(world, transaction_id)
        assert told.outcome == "given_up"
        assert set(tried.values()) == {9}, "after a failure there is a pause, and after three days no more"
        assert (await count_outcomes(world.pool))["email", "given_up"] == len(tried)

    run(database.app_dsn, story)


def test_the_buyer_is_reminded_a_day_before_silence_decides_unless_it_is_over(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        read, unread, other = await world.hold(), await world.hold(), await world.hold()
        for transaction_id in (read, unread, other):
            await world.sign(transaction_id)
            await world.do(world.as_buyer, transaction_id, RevealCredentials(sealed_to="plaintext"))
        await deliver(notifier)
        await world.do(world.as_buyer, read, AcknowledgeReveal())
        await world.do(world.as_buyer, other, ConfirmAccess(statements=("ok",)))
        ends_at = (await world.transaction(read)).inspection_ends_at
        assert ends_at is not None
        world.at = ends_at - timedelta(hours=23)
        await deliver(notifier)
        reminders = [mail for mail in post.letters if mail.subject == "The time to check the account ends soon"]
        assert {mail.address for mail in reminders} == {world.buyer.email}
        promised = {
            transaction_id: "the money goes to the seller then" in mail.text
            for mail in reminders
            for transaction_id in (read, unread, other)
            if str(transaction_id) in mail.text
        }
        assert promised == {read: True, unread: False}
        assert all("a person decides" in mail.text for mail in reminders if str(unread) in mail.text)
        templates = [each.template for each in await told_in_log(world, other)]
        assert "inspection_ends_soon" not in templates

    run(database.app_dsn, story)


def test_whatever_moves_an_end_in_one_batch_the_buyer_is_reminded_of_it_once(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        sold = await world.hold()
        await world.sign(sold)
        await world.do(world.as_buyer, sold, RevealCredentials(sealed_to="plaintext"))
        for _ in range(2):
            await world.do(world.as_seller, sold, ExtendInspection(seconds=DAY_SECONDS, reason="he asked for it"))
        await deliver(notifier)
        ends_at = (await world.transaction(sold)).inspection_ends_at
        assert ends_at is not None
        world.at = ends_at - timedelta(hours=23)
        await deliver(notifier)
        assert post.to(world.buyer).count("The time to check the account ends soon") == 1

    run(database.app_dsn, story)


def test_an_event_that_cannot_be_told_holds_up_no_other(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        async with world.pool.connection() as connection:
            for template in ("no_such_template", "payout_sent", "password_changed"):
                await tell_user(connection, world.buyer.id, template, at=world.at)
        await deliver(notifier)
        assert post.to(world.buyer) == ["Your password was changed"]
        assert (await count_outcomes(world.pool))["email", "unwritable"] == 2

    run(database.app_dsn, story)


def test_the_worker_tells_people_over_smtp_and_a_second_start_tells_nothing_anew(database: Database) -> None:
    async def story(world: World) -> None:
        with mail_server() as server:
            send = mail_over_smtp(server.url, "escrow@escrow.example")
            await open_post(world, Post())
            sales: list[UUID] = []
            for _ in range(2):
                sales.append(await world.open())
                worker = Worker(world.tools, database.app_dsn, notifier=Notifier(world.tools, send))
                async with beside(worker.run()):
                    await until(partial(told_in_log, world, sales[-1]))
                    await asyncio.sleep(0.3)
            for sale in sales:
                about = [letter for letter in server.letters if str(sale) in letter.content.decode()]
                assert len(about) == 2
                assert len(await told_in_log(world, sale)) == 1

    run(database.app_dsn, story)


def test_many_are_told_at_once_and_each_once(database: Database) -> None:
    async def story(world: World) -> None:
        post = Post()
        notifier = await open_post(world, post)
        async with world.pool.connection() as connection:
            for number in range(AT_ONCE * 3):
                for _ in range(2):
                    await tell_user(connection, world.buyer.id, "password_changed", at=world.at, key=str(number))
        await deliver(notifier)
        assert len(post.letters) == AT_ONCE * 3

    run(database.app_dsn, story)
