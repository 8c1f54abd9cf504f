"""`escrow contract verify`: what somebody shows, held against the log of a demo."""

import json
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.running_demo import Demo


def fetch(demo: Demo, phase: str, media_type: str) -> bytes:
    facts = demo.facts
    url = f"{facts['base_url']}/api/v1/transactions/{facts['transactions'][phase]}/contract"
    headers = {"Authorization": f"Bearer {facts['users']['buyer']['token']}", "Accept": media_type}
    return httpx.get(url, headers=headers, trust_env=False, timeout=30).raise_for_status().content


@pytest.fixture
def paper(demo: Demo, tmp_path: Path) -> Path:
    """The signed contract of the completed transaction, as a file."""
    file = tmp_path / "contract.pdf"
    file.write_bytes(fetch(demo, "completed", "application/pdf"))
    return file


@pytest.mark.weakness("W32")
def test_a_contract_of_ours_is_known_again(demo: Demo, paper: Path, tmp_path: Path) -> None:
    """Elsewhere nobody can tell whether a contract that somebody shows is the one that was signed."""
    text = tmp_path / "contract.txt"
    text.write_bytes(fetch(demo, "completed", "text/plain"))
    for file, signatures in ((paper, {"buyer", "seller"}), (text, set[str]())):
        done = demo.escrow("contract", "verify", str(file), "--json")
        assert done.returncode == 0, done.stderr
        verdict = json.loads(done.stdout)
        assert verdict["transaction_id"] == demo.facts["transactions"]["completed"]
        assert (verdict["same"], verdict["differences"], set(verdict["signatures"])) == (True, [], signatures)


def test_what_differs_is_named(demo: Demo, paper: Path) -> None:
    paper.write_bytes(paper.read_bytes().replace(b"basis points", b"basis pounds"))
    done = demo.escrow("contract", "verify", str(paper))
    assert done.returncode == 3
    assert "basis pounds" in done.stderr


def test_the_contract_of_another_transaction_differs(demo: Demo, paper: Path) -> None:
    other = demo.facts["transactions"]["refunded"]
    done = demo.escrow("contract", "verify", str(paper), "--transaction", other, "--json")
    assert (done.returncode, json.loads(done.stdout)["same"]) == (3, False)
    signed = demo.facts["transactions"]["contract_signed"]
    done = demo.escrow("contract", "verify", str(paper), "--transaction", signed, "--json")
    assert (done.returncode, json.loads(done.stdout)["same"]) == (3, False)


def test_what_is_not_there_or_not_said_has_its_exit_code(demo: Demo, paper: Path, tmp_path: Path) -> None:
    pending, nothing = demo.facts["transactions"]["pending"], tmp_path / "nothing"
    nothing.write_bytes(b"%PDF-1.4 and no more")
    assert demo.escrow("contract", "verify", str(paper), "--transaction", str(uuid4())).returncode == 5
    assert demo.escrow("contract", "verify", str(paper), "--transaction", pending).returncode == 5
    assert demo.escrow("contract", "verify", str(nothing)).returncode == 2
    assert demo.escrow("contract", "verify", str(tmp_path / "missing")).returncode == 2
