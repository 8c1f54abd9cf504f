"""The contract on paper, made from a story that runs without a database."""

from dataclasses import replace
from hashlib import sha256

import pytest

from cli.run.contract import compare
from documents.contract import TEXT_NAME, Contract, Signature, draw_contract
from documents.pdf import WIDTH, read_lines
from domain.actor import Role
from domain.contract import TEMPLATE_VERSION, Agreement, TemplateUnknown, contract_sha256, render_contract
from domain.policy import DISPUTE_WINDOW, ESCALATE_DISPUTE_AFTER, REDEPOSIT_WITHIN, Silence, Terms
from tests.domain.paths import pending
from tests.domain.people import BUYER_ID, SELLER_ID, START
from tests.domain.story import LISTING_ID, TRANSACTION_ID


def agree(terms: Terms | None = None, price_minor: int = 100_000) -> Agreement:
    story = pending(price_minor, terms)
    return Agreement(transaction=story.transaction, listing=story.listing, buyer_key="b" * 64, seller_key="s" * 64)


def signature(role: Role) -> Signature:
    signer = BUYER_ID if role is Role.BUYER else SELLER_ID
    return Signature(
        role=role, signer_id=signer, signed_at=START, name_digest="d" * 64, position=17, event_sha256="e" * 64
    )


@pytest.fixture
def contract() -> Contract:
    text = render_contract(agree(), TEMPLATE_VERSION)
    signatures = (signature(Role.SELLER), signature(Role.BUYER))
    return Contract(transaction_id=TRANSACTION_ID, text=text, made_at=START, signatures=signatures)


@pytest.mark.weakness("W32")
@pytest.mark.parametrize(
    ("template", "sha256_of_text"),
    [
        ("2026-11", "73f27fbe9727fdfa9c4fb4bc5dbc530a84e17155aa1d492b51a3a02ca3c60eef"),
        ("2026-11-27", "946d7ace0c7a0953cea8d2e59ba956ac72695b72a9d6be4a9b4b75cf30207a21"),
    ],
)
def test_what_was_made_from_a_template_is_drawn_the_same_for_ever(template: str, sha256_of_text: str) -> None:
    """A template that is edited would take the text from under signatures that were given."""
    assert contract_sha256(render_contract(agree(), template)) == sha256_of_text


def test_what_was_made_from_a_template_that_nobody_knows_is_not_drawn() -> None:
    with pytest.raises(TemplateUnknown):
        render_contract(agree(), "2019-01")


def test_the_text_says_who_what_for_how_much_until_when_and_what_if_not() -> None:
    terms = Terms(fee_bps=1250, tax_bps=1600, reserve_bps=500, warranty_seconds=48 * 3600, silence=Silence.REFUND)
    agreement = agree(terms, 123_457)
    text = render_contract(agreement, TEMPLATE_VERSION).decode("ascii")
    sale = agreement.transaction
    for fact in (
        TEMPLATE_VERSION, str(BUYER_ID), str(SELLER_ID), str(LISTING_ID), agreement.listing.content_sha256,
        str(sale.vault_id), "b" * 64, "s" * 64, "1234.57 KES", "154.32 KES", "1250 basis points", "24.69 KES",
        "61.72 KES", "48 hours after the release", "993.84 KES", "no minimum", "24 hours of the opening",
        "72 hours of the payment", "72 hours of the last signature", "30 days after completion", "may withdraw it",
        "chargeback", "deposited again", "the buyer is refunded;", "Unclear: a super administrator",
    ):  # fmt: skip
        assert fact in text, fact
    assert max(map(len, text.splitlines())) <= WIDTH


def test_what_new_contracts_are_made_from_says_what_the_policy_is() -> None:
    """Who changes the policy writes a new template: the old one goes on saying what was signed."""
    text = " ".join(render_contract(agree(), TEMPLATE_VERSION).decode().split())
    for promise in (
        f"may open a dispute from the payment on until {DISPUTE_WINDOW.days} days after completion",
        f"undecided after {ESCALATE_DISPUTE_AFTER.days} days goes to a super administrator",
        f"deposited again by the seller within {REDEPOSIT_WITHIN.total_seconds() / 3600:.0f} hours",
    ):
        assert promise in text


@pytest.mark.parametrize("silence", Silence)
def test_what_silence_means_is_said(silence: Silence) -> None:
    others = {each: render_contract(agree(Terms(silence=each)), TEMPLATE_VERSION) for each in Silence}
    assert [each for each, text in others.items() if text == others[silence]] == [silence]


def test_the_paper_shows_the_text_line_by_line_and_holds_its_bytes(contract: Contract) -> None:
    pdf, text = draw_contract(contract), contract.text.decode()
    lines = read_lines(pdf)
    assert lines[: len(text.splitlines())] == text.splitlines()
    assert b"\nstream\n" + contract.text + b"\nendstream" in pdf
    assert TEXT_NAME.encode() in pdf
    signed = "\n".join(lines[len(text.splitlines()) :])
    for fact in (contract.sha256, str(BUYER_ID), str(SELLER_ID), "2026-01-05 12:00:00 UTC, position 17", "d" * 64):
        assert fact in signed
    assert contract.sha256 == sha256(contract.text).hexdigest()


@pytest.mark.weakness("W32")
def test_the_same_contract_is_the_same_file_and_another_signature_another(contract: Contract) -> None:
    later = replace(contract, signatures=(*contract.signatures[:1], replace(contract.signatures[1], position=18)))
    unsigned = replace(contract, signatures=())
    assert draw_contract(contract) == draw_contract(replace(contract))
    assert len({draw_contract(each) for each in (contract, later, unsigned)}) == 3


def test_a_paper_from_before_the_signatures_is_still_the_logs(contract: Contract) -> None:
    for count in range(3):
        verdict = compare(draw_contract(replace(contract, signatures=contract.signatures[:count])), contract)
        assert (verdict.same, verdict.differences) == (True, ())
        assert verdict.signatures == ("seller", "buyer")[:count]
    assert compare(contract.text, contract).same


def test_a_byte_that_differs_is_a_difference_wherever_it_stands(contract: Contract) -> None:
    for content in (draw_contract(contract), contract.text):
        for place in range(0, len(content), 331):
            changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            verdict = compare(changed, contract)
            assert not verdict.same
            assert verdict.differences
        for changed in (content[:-1], content + b"\n", b""):
            assert not compare(changed, contract).same


def test_the_lines_that_differ_are_named(contract: Contract) -> None:
    forged = contract.text.replace(b"1000.00 KES", b"9000.00 KES")
    verdict = compare(draw_contract(replace(contract, text=forged)), contract)
    assert any("Price             1000.00 KES" in each and "9000.00 KES" in each for each in verdict.differences)
    assert all("line " in each for each in verdict.differences)
    assert len(compare(forged, contract).differences) == 1
    unseen = draw_contract(contract).replace(b"/Title", b"/Titel")
    assert "every line reads the same" in compare(unseen, contract).differences[0]
