"""The contract over HTTP: as text, as a PDF, now and as it was."""

from hashlib import sha256

import pytest

from documents.pdf import read_lines
from tests.api.running import Installation

PDF = "application/pdf"


@pytest.mark.weakness("W32")
def test_the_contract_is_shown_on_paper_with_what_both_signed(installation: Installation) -> None:
    """Elsewhere the PDF is drawn from another rendering than the one that was hashed, and is not kept."""
    transaction = installation.hold()
    path = f"/api/v1/transactions/{transaction}/contract"
    buyer, seller = installation.people["buyer"], installation.people["seller"]
    unsigned, position = buyer.get(path, Accept=PDF), installation.head()
    installation.sign(transaction)
    text, paper = buyer.get(path), seller.get(path, Accept=f"{PDF}, text/plain")
    assert (text.headers["content-type"], paper.headers["content-type"]) == ("text/plain; charset=utf-8", PDF)
    assert paper.headers["escrow-contract-sha256"] == sha256(text.content).hexdigest()
    assert paper.headers["content-disposition"] == f'attachment; filename="contract-{transaction}.pdf"'
    assert paper.content == buyer.get(path, Accept=PDF).content
    lines = read_lines(paper.content)
    assert lines[: len(text.text.splitlines())] == text.text.splitlines()
    assert "\n".join(lines).count(" of the log") == 2
    assert buyer.get(f"{path}?as_of={position}", Accept=PDF).content == unsigned.content != paper.content
    for name in ("example.com", "buyer@", "someone", "hunter2"):
        assert name.encode() not in paper.content


def test_a_paper_is_for_those_who_may_see_the_contract(installation: Installation) -> None:
    transaction = installation.open()
    path = f"/api/v1/transactions/{transaction}/contract"
    assert installation.people["stranger"].get(path, Accept=PDF).status_code == 404
    missing = installation.people["buyer"].get(path, Accept=PDF)
    assert (missing.status_code, missing.json()["code"]) == (409, "contract_missing")
