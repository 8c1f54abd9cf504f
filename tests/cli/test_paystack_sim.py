"""`escrow paystack-sim`: it says when it is ready, stops when told, ends with its parent, and brings no key along."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cli.home import make_secret_file
from tests.gateways.conftest import SECRET, Panel
from tests.waiting import wait_until

COMMAND = [sys.executable, "-m", "cli.main", "paystack-sim", "--port", "0"]


def environment(home: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PAYSTACK")}
    return {**clean, "ESCROW_HOME": str(home), **more}


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET.reveal() + "\n")
    return file


@contextmanager
def started(home: Path, *options: str, **more: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """One that is ready, and where it answers; at the end it is gone, however the test went."""
    with subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(home, **more),
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["base_url"]
        finally:
            process.kill()


def refused(home: Path, *options: str) -> int:
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, env=environment(home), check=False, timeout=30
    ).returncode


def test_a_death_while_the_key_is_written_leaves_no_key_and_of_two_who_write_both_have_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"

    def die(*_: object) -> str:
        raise KeyboardInterrupt

    for name in ("secrets.token_hex", "os.fsync", "os.link"):
        with monkeypatch.context() as patch:
            patch.setattr(name, die)
            with pytest.raises(KeyboardInterrupt):
                make_secret_file(home)
        assert not (home / "paystack-key").exists(), name

    def write_first(_size: int) -> str:
        (home / "paystack-key").write_text("sk_test_of_the_other")
        return "0" * 40

    monkeypatch.setattr("secrets.token_hex", write_first)
    assert make_secret_file(home).read_text() == "sk_test_of_the_other"


def answers(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/_sim/clock", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_it_says_when_it_is_ready_stops_on_sigterm_and_carries_on(tmp_path: Path, secret_file: Path) -> None:
    options = ("--balance", "KES=700", "--state-file", str(tmp_path / "state"), "--secret-file", str(secret_file))
    with started(tmp_path, *options) as (process, base_url):
        assert Panel(base_url).held("balance") == 700
        assert refused(tmp_path, *options) == 9, "one file, one stand-in"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, "the signal ended it before its store was closed"
    with started(tmp_path, *options) as (_, base_url):
        assert Panel(base_url).held("balance") == 700, "a restart is not a gift"


def test_the_options_say_how_it_behaves(tmp_path: Path) -> None:
    options = (
        "--settles-to",
        "bank",
        "--customer-bears-fee",
        "--faults",
        "transfer:fail@0.5,500_before*2",
        "--seed",
        "7",
    )
    with started(tmp_path, *options, PAYSTACK_SECRET_KEY=SECRET.reveal()) as (_, base_url):
        panel = Panel(base_url)
        settings = panel.http.get("/_sim/settings").json()
        assert (settings["settles_to"], settings["customer_bears_fee"]) == ("bank", True)
        assert [fault["kind"] for fault in panel.http.get("/_sim/faults").json()["faults"]] == ["fail", "500_before"]
        assert httpx.get(f"{base_url}/balance", trust_env=False).status_code == 401


def test_without_a_key_it_makes_one_that_only_its_owner_reads(tmp_path: Path) -> None:
    with started(tmp_path / "home") as (_, base_url):
        file = tmp_path / "home" / "paystack-key"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        key = {"Authorization": f"Bearer {file.read_text()}"}
        wait_until(lambda: httpx.get(f"{base_url}/bank", headers=key, trust_env=False).status_code == 200)


def test_it_ends_with_the_parent_that_started_it(tmp_path: Path, secret_file: Path) -> None:
    script = "import os, pathlib; from cli.demo.children import Children\n"
    script += f"children = Children(pathlib.Path({str(tmp_path)!r}), os.environ)\n"
    words = ["cli.main", "paystack-sim", "--port", "0", "--secret-file", str(secret_file)]
    script += f"child = children.start('paystack', {words!r}, reads_output=True)\n"
    script += "print(child.stdout.readline(), flush=True); os.kill(os.getpid(), 9)"
    printed = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=environment(tmp_path),
    )
    base_url = json.loads(printed.stdout)["base_url"]
    wait_until(lambda: not answers(base_url))


@pytest.mark.parametrize(("content", "code"), [("pk_test_x", 4), ("", 4), (None, 2)])
def test_a_key_that_is_none_is_refused(tmp_path: Path, secret_file: Path, content: str | None, code: int) -> None:
    secret_file.unlink()
    if content is not None:
        secret_file.write_text(content)
    assert refused(tmp_path, "--secret-file", str(secret_file)) == code


@pytest.mark.parametrize(
    "options",
    [
        ["--faults", "transfer:nonsense"],
        ["--faults", "transferr:fail"],
        ["--faults", "fail@7"],
        ["--balance", "EUR=5"],
        ["--balance", "KES"],
        ["--settles-to", "moon"],
    ],
)
def test_what_it_does_not_understand_is_a_mistake_of_the_caller(tmp_path: Path, options: list[str]) -> None:
    assert refused(tmp_path, *options) == 2
