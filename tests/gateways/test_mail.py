"""Mail reaches a real SMTP server as it should, says what went wrong, and lets nobody write headers."""

import asyncio
import stat
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import UUID

import pytest

from gateways.mail import Mail, compose, mail_into_folder, mail_over_smtp
from gateways.message import MessageError, MessageRefused, MessageUndelivered, list_message_files
from tests.gateways.smtp import MailServer, mail_server

SENDER = "escrow@escrow.example"
MAIL = Mail(
    id=UUID(int=7),
    at=datetime(2026, 11, 27, 6, tzinfo=UTC),
    address="ada@example.com",
    subject="Ihr Geld: größtenteils da",
    text="Zeile eins\n.Zeile zwei mit einem Punkt\n",
    html="<p>Zeile <b>eins</b></p>",
)


@pytest.fixture(name="server")
def fixture_server() -> Generator[MailServer]:
    """A mail server of the test's own."""
    with mail_server() as server:
        yield server


def send(server: MailServer, mail: Mail = MAIL) -> None:
    """Send it."""
    asyncio.run(mail_over_smtp(server.url, SENDER)(mail))


def test_a_message_arrives_with_text_and_html_and_says_that_no_person_wrote_it(server: MailServer) -> None:
    send(server)
    [letter] = server.letters
    message = letter.message
    assert (letter.sender, letter.recipients) == (SENDER, ("ada@example.com",))
    assert message["Subject"] == MAIL.subject
    assert message["From"] == SENDER
    assert message["Date"].datetime == MAIL.at
    assert message["Message-ID"] == f"<{MAIL.id}@escrow.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    plain, rich = message.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == MAIL.text
    assert rich.get_content().strip() == MAIL.html


def test_a_repeat_is_the_same_message_byte_for_byte(server: MailServer) -> None:
    send(server)
    send(server)
    first, second = server.letters
    assert first == second


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: eve@example.com", "Hello\nBcc: a@b.example\n\nBody", "a\rb\x0bc"])
def test_a_subject_cannot_bring_headers_along(server: MailServer, subject: str) -> None:
    send(server, replace(MAIL, subject=subject))
    [letter] = server.letters
    assert letter.recipients == ("ada@example.com",)
    assert letter.message["Bcc"] is None
    assert letter.message["Subject"] == " ".join(subject.split())


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com, eve@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com>",
        "ada\n@example.com",
        "Ada <ada@example.com>",
        "ada",
        "@example.com",
        "ada@",
        "",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(server: MailServer, address: str) -> None:
    with pytest.raises(MessageRefused):
        send(server, replace(MAIL, address=address))
    assert server.letters == []


@pytest.mark.parametrize("local", ["a,b", "a<b", '"a"', "a;b", "(a)", "a@b"])
def test_a_strange_mailbox_is_one_recipient(server: MailServer, local: str) -> None:
    send(server, replace(MAIL, address=f"{local}@example.com"))
    [letter] = server.letters
    assert len(letter.recipients) == 1
    assert letter.recipients[0].endswith("@example.com")
    assert letter.message["To"].addresses[0].username == local


def test_a_host_in_other_letters_is_written_as_names_of_hosts_are(server: MailServer) -> None:
    send(server, replace(MAIL, address="ada@bücher.example"))
    assert server.letters[0].recipients == ("ada@xn--bcher-kva.example",)


def test_a_mailbox_in_other_letters_is_refused_by_a_server_that_has_none(server: MailServer) -> None:
    with pytest.raises(MessageRefused):
        send(server, replace(MAIL, address="josé@example.com"))
    server.extensions = ("SMTPUTF8", "8BITMIME")
    send(server, replace(MAIL, address="josé@example.com"))
    assert server.letters[0].recipients == ("josé@example.com",)


OF_ALL, OF_ONE = (MessageUndelivered, True), (MessageUndelivered, False)


@pytest.mark.parametrize(
    ("verb", "answer", "outcome"),
    [
        ("RCPT", "550 no such user", (MessageRefused, None)),
        ("RCPT", "451 try later", OF_ONE),
        ("RCPT", "421 closing down", OF_ALL),
        ("MAIL", "550 not you", OF_ALL),
        ("DATA", "554 no", (MessageRefused, None)),
        ("DATA", "452 full", OF_ONE),
    ],
)
def test_what_the_server_says_decides_whether_another_try_makes_sense_and_whether_others_leave(
    server: MailServer, verb: str, answer: str, outcome: tuple[type[MessageError], bool | None]
) -> None:
    server.answers[verb] = answer
    with pytest.raises(MessageError) as refused:
        send(server)
    assert (type(refused.value), getattr(refused.value, "concerns_all", None)) == outcome
    assert MAIL.address not in str(refused.value)
    assert server.letters == []


@pytest.mark.parametrize("code", ["530", "535"])
def test_who_is_not_signed_in_is_not_told_that_an_address_is_wrong(server: MailServer, code: str) -> None:
    """RFC 4954 §6: these say something of us, so the letter waits until somebody has mended it."""
    server.answers["RCPT"] = f"{code} sign in first"
    with pytest.raises(MessageUndelivered) as waiting:
        send(server)
    assert (waiting.value.reason, waiting.value.concerns_all) == (code, True)


@pytest.mark.parametrize("extensions", [(), ("8BITMIME", "SMTPUTF8"), ("AUTH GSSAPI",)])
def test_a_server_that_lets_nobody_sign_in_makes_no_letter_final(
    server: MailServer, extensions: tuple[str, ...]
) -> None:
    server.extensions = extensions
    url = server.url.replace("//", "//escrow:password@")
    with pytest.raises(MessageUndelivered) as waiting:
        asyncio.run(mail_over_smtp(url, SENDER)(MAIL))
    assert waiting.value.concerns_all
    assert server.letters == []


def test_a_line_that_breaks_after_the_message_leaves_it_open_whether_it_went_out(server: MailServer) -> None:
    server.hangs_up_after = "DATA"
    with pytest.raises(MessageUndelivered):
        send(server)
    assert len(server.letters) == 1


def test_no_server_is_no_delivery() -> None:
    with pytest.raises(MessageUndelivered):
        asyncio.run(mail_over_smtp("smtp://127.0.0.1:1", SENDER)(MAIL))


def test_the_stand_in_keeps_one_file_for_each_message_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    send_mail = mail_into_folder(folder, SENDER)
    later = replace(MAIL, id=UUID(int=8), at=datetime(2026, 11, 27, 7, tzinfo=UTC))
    for mail in (MAIL, later, MAIL):
        asyncio.run(send_mail(mail))
    newest, oldest = list_message_files(folder, frozenset({".eml"}), 10)
    assert len(list(folder.iterdir())) == 2
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(oldest.stat().st_mode) == 0o600
    assert str(later.id) in newest.name
    assert message_from_bytes(oldest.read_bytes(), policy=default)["Subject"] == MAIL.subject
    assert list_message_files(folder, frozenset({".eml"}), 1) == [newest]


def test_a_folder_that_takes_nothing_is_no_delivery(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(MessageUndelivered):
        asyncio.run(mail_into_folder(tmp_path / "mail", SENDER)(MAIL))


def test_nothing_personal_is_shown_by_repr() -> None:
    assert MAIL.address not in repr(MAIL)
    assert MAIL.subject not in repr(MAIL)
    assert compose(MAIL, SENDER)["To"] == MAIL.address
