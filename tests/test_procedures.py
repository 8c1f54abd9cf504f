"""What a reader pastes of the tutorial and of the procedures runs, in order, against a demo that it may use up."""

import re
from pathlib import Path

import pytest

from tests.api.samples import PNG
from tests.pages import DOCS, PAGES, ROOT, blocks, paste, shell_of
from tests.running_demo import Demo, run_demo

HOW_TO, TUTORIAL = DOCS / "how-to", DOCS / "tutorial.md"
EXAMPLE = "01a1e135-caa2-7dcb-9715-0b6c5f0391ee"
KEY = """key() { python3 -c 'import uuid; print(f"Idempotency-Key: {uuid.uuid4()}")'; }
field() { python3 -c 'import json, sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1"; }
"""
APPROVAL = """APPROVAL="$(curl -fsS "$API/admin/approvals?status=requested" -H "Authorization: Bearer $SECOND" \\
  | field '["items"][0]["approval_id"]')"
"""
DRAFT = """SELLER="$(demo users seller token)"; BUYER="$(demo users buyer token)"
ACCOUNT='{"title": "A garden", "description": "As new", "price": {"amount_minor": 500, "currency": "KES"}}'
LISTING="$(curl -fsS "$API/listings" -H "Authorization: Bearer $SELLER" -H "$(key)" \\
  -H "Content-Type: application/json" -d "$ACCOUNT" | field '["id"]')"
"""


def bash_of(page: str) -> list[str]:
    """Return what is pasted of a procedure."""
    return list(blocks(HOW_TO / page, "bash"))


def about(transaction: str) -> str:
    """Return the line that says which transaction of the demo is meant."""
    return f'TX="$(demo transactions {transaction})"\n'


def follow(demo: Demo, folder: Path, *pasted: str) -> str:
    """Sign in as the page says it for a demo, and paste the rest; return what was shown."""
    signed_in = [*bash_of("sign-in.md"), KEY]
    return paste(shell_of(demo.environment), folder / "procedures.sh", *signed_in, *pasted, cwd=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a reader stands: the command is there, and a picture to send."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "screenshot.png").write_bytes(PNG)
    return tmp_path


@pytest.mark.soak
def test_every_shell_command_of_the_tutorial_and_of_two_procedures_runs_in_order(folder: Path) -> None:
    """They use up the stuck transaction, the failed payout and the dispute."""
    with run_demo() as demo:
        shown = paste(shell_of(demo.environment), folder / "tutorial.sh", *blocks(TUTORIAL, "bash"), cwd=folder)
        assert shown.count("refused\n") >= 3
        assert [code in shown for code in ("exit code 3", '"reveal_first"', '"own_approval"')] == [True] * 3
        # Once it is decided there is nothing left to escalate.
        disputes = [block.replace("curl -fsS", "curl -sS") for block in bash_of("disputes.md")]
        decided = follow(demo, folder, about("disputed"), *disputes, *bash_of("rebuild.md"))
        assert '"finding":"seller"' in decided


@pytest.mark.soak
def test_every_shell_command_about_stuck_money_force_and_listings_runs_in_order(folder: Path) -> None:
    """What stands about lost keys is not tried here: it wants a safe place, and a passphrase that is typed."""
    with run_demo() as demo:
        stuck = str(demo.facts["transactions"]["stuck"])  # type: ignore[index]
        looked = [block.replace(EXAMPLE, stuck) for block in bash_of("stuck-money.md")]
        look, refund, release, pay_again, decide = bash_of("force.md")
        force = [about("stuck"), look, refund, release, APPROVAL, decide, about("payout_failed"), pay_again]
        shown = follow(demo, folder, *looked, *force, DRAFT, *bash_of("listings.md"))
        assert re.findall(r'"code": "(\w+)"', shown) == ["reveal_first", "approval_unknown"]
        assert re.findall(r'"state":"(\w+)"', shown) == ["contract_signed"] * 3 + ["refunding", "releasing"]
        assert '"name":"screenshot.png"' in shown


def test_every_page_with_blocks_to_paste_is_one_that_is_tried() -> None:
    tried = {"sign-in.md", "disputes.md", "rebuild.md", "stuck-money.md", "force.md", "listings.md"}
    found = {page for page in PAGES if list(blocks(page, "bash"))}
    assert found == {ROOT / "README.md", TUTORIAL, *(HOW_TO / name for name in tried)}, "`sh` is for what is not tried"
