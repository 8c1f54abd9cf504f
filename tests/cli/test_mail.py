"""Messages that nobody carries are shown: in the terminal, and on the demo's page, where markup stays text."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from cli.demo.letterbox import open_letterbox
from cli.demo.welcome import welcome
from cli.run.mail import show_message, show_messages
from domain.errors import NotFound
from gateways.mail import Mail, mail_into_folder
from gateways.outbox import find_message, list_messages
from gateways.sms import Sms, sms_into_folder
from tests.running_demo import Demo

EVIL = "<script>alert(1)</script>\x1b[2Jgone"
LETTER = Mail(
    id=UUID(int=1),
    at=datetime(2026, 11, 27, 6, tzinfo=UTC),
    address="ada@example.com",
    subject=EVIL.replace("\x1b", ""),
    text=f"Zeile für Ada\n{EVIL}\n",
    html="<p onclick='alert(1)'>Zeile</p>",
)
SMS = Sms(id=UUID(int=2), at=datetime(2026, 11, 27, 7, tzinfo=UTC), phone="+254700000001", text=f"Code 123456 {EVIL}")


@pytest.fixture(name="home")
def fixture_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one letter, one short message, and things that are neither."""
    monkeypatch.setenv("ESCROW_HOME", str(tmp_path))
    monkeypatch.delenv("SMTP_URL", raising=False)
    folder = tmp_path / "mail"
    asyncio.run(mail_into_folder(folder, "escrow@localhost")(LETTER))
    asyncio.run(sms_into_folder(folder)(SMS))
    (folder / "nonsense.eml").write_text("no stamp in the name")
    (folder / "20261127T060000.000000Z-no-id.sms").write_text("{}")
    (folder / f"20261127T060000.000000Z-{uuid4()}.sms").write_text("[]")
    return tmp_path


def test_the_folder_is_read_newest_first_and_what_is_no_message_is_passed_over(home: Path) -> None:
    sms, mail = list_messages(home / "mail", 10)
    assert (sms.channel, sms.address, sms.text) == ("sms", SMS.phone, SMS.text)
    assert (mail.channel, mail.address, mail.subject) == ("email", LETTER.address, LETTER.subject)
    assert mail.text == LETTER.text
    assert LETTER.address not in repr(mail)
    with pytest.raises(NotFound):
        find_message(home / "mail", UUID(int=3))
    assert list_messages(home / "elsewhere", 10) == []


def test_the_command_shows_json_to_programs_and_harmless_text_to_people(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_messages(to=None, limit=10, as_json=True)
    listed = json.loads(capsys.readouterr().out)["messages"]
    assert [row["id"] for row in listed] == [str(SMS.id), str(LETTER.id)]
    show_messages(to="ADA@example.com", limit=10, as_json=True)
    assert [row["channel"] for row in json.loads(capsys.readouterr().out)["messages"]] == ["email"]
    show_message(LETTER.id, as_json=True)
    assert json.loads(capsys.readouterr().out)["text"] == LETTER.text
    show_messages(to=None, limit=10, as_json=False)
    show_message(LETTER.id, as_json=False)
    shown = capsys.readouterr().out
    assert "Zeile für Ada" in shown
    assert "\x1b" not in shown


def test_the_page_shows_messages_and_runs_nothing_that_stands_in_them(home: Path) -> None:
    with open_letterbox(home / "mail") as url, httpx.Client(trust_env=False) as browser:
        for answer in (browser.get(url), browser.get(f"{url}{LETTER.id}"), browser.get(f"{url}{SMS.id}")):
            assert answer.status_code == 200
            assert "<script" not in answer.text
            assert "<p onclick" not in answer.text
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
        assert "&lt;script&gt;" in browser.get(url).text
        assert "Zeile für Ada" in browser.get(f"{url}{LETTER.id}").text
        assert browser.get(f"{url}style.css").headers["Content-Type"].startswith("text/css")


def test_the_page_is_nothing_to_whoever_does_not_know_its_address(home: Path) -> None:
    with open_letterbox(home / "mail") as url, httpx.Client(trust_env=False) as browser:
        root = f"http://{urlsplit(url).netloc}/"
        for path in ("", "wrong/", f"wrong/{LETTER.id}", "../", "%2e%2e/", f"{urlsplit(url).path[1:]}../../etc/passwd"):
            assert browser.get(root + path).status_code == 404, path
        for name in ("x", f"{UUID(int=9)}", "messages.html", "..%2fdemo.json"):
            assert browser.get(url + name).status_code == 404, name
        rebound = browser.get(url, headers={"Host": "evil.example"})
        assert rebound.status_code == 404, "another name leads here"
        assert browser.post(url).status_code == 501
        assert LETTER.address not in rebound.text


def test_the_demo_says_where_its_messages_are_and_they_tell_of_its_sales(demo: Demo) -> None:
    assert "http://127.0.0.1:9/secret/" in welcome(demo.home, demo.facts, "http://127.0.0.1:9/secret/")
    listed = json.loads(demo.escrow("mail", "list", "--limit", "1000", "--json").stdout)["messages"]
    buyer = demo.facts["users"]["buyer"]["email"]  # type: ignore[index]
    subjects = {row["subject"] for row in listed if row["address"] == buyer}
    assert {"You reserved an account", "The payment is in escrow"} <= subjects
    shown = demo.escrow("mail", "show", listed[0]["id"])
    assert shown.returncode == 0, shown.stderr
    assert demo.escrow("mail", "show", str(uuid4())).returncode == 5
