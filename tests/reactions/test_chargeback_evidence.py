"""What is said about a sale that was charged back: made of its events alone, and always to the byte the same."""

from hashlib import sha256
from string import Formatter

import pytest

from eventstore.transcoder import list_event_classes
from reactions.chargeback_evidence import FACTS, assemble
from tests.conftest import Database
from tests.reactions.answering import paid_out, require_answered_once, uploaded
from tests.reactions.street import Street, tell, work


def test_the_form_has_what_it_asks_for_and_the_document_no_personal_data(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await paid_out(street)
        dispute = await street.dispute(transaction_id, category="fraud")
        transaction = await work(street, transaction_id)
        (form,) = street.paystack.sim.store.evidence.all()
        assert (form.fields["customer_email"], form.fields["customer_name"]) == ("buyer@example.com", "buyer")
        assert form.fields["delivery_date"] == "2026-11-23"
        assert transaction.contract_sha256 is not None
        assert transaction.contract_sha256 in form.fields["service_details"]
        (one,) = transaction.disputes.values()
        assert one.answer is not None
        made = await assemble(street.world.tools, transaction_id, one, one.answer.evidence_version or 0)
        assert uploaded(street, dispute).size_bytes == len(made.content)
        for secret in (b"example.com", b"0712345678", b"MPESA", b"correct horse"):
            assert secret not in made.content

    tell(database.app_dsn, story)


def test_the_same_events_make_the_same_document(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await paid_out(street)
        await street.dispute(transaction_id)
        transaction = await work(street, transaction_id)
        (dispute,) = transaction.disputes.values()
        assert dispute.answer is not None
        version = dispute.answer.evidence_version or 0
        files = [await assemble(street.world.tools, transaction_id, dispute, version) for _ in range(2)]
        assert {sha256(file.content).hexdigest() for file in files} == {dispute.answer.evidence_sha256}
        text = files[0].content.decode("latin-1")
        for fact in ("signed it by typing", "acknowledged that he received", "confirmed that they give", "was paid"):
            assert fact in text
        assert text.count(f"SHA-256  {transaction.contract_sha256}") == 1
        assert "ESCROW AGREEMENT" in text
        later = await assemble(street.world.tools, transaction_id, dispute, transaction.version)
        assert later.sha256 != files[0].sha256

    tell(database.app_dsn, story)


@pytest.mark.parametrize("topic", FACTS)
def test_every_sentence_of_the_document_has_the_fields_that_it_names(topic: str) -> None:
    kind = list_event_classes()[topic]
    fields = {name for base in kind.__mro__ for name in vars(base).get("__annotations__", {})}
    if {"amount_minor", "currency"} <= fields:
        fields.add("amount")
    named = {name for _, name, _, _ in Formatter().parse(FACTS[topic]) if name}
    assert named <= fields


def test_a_contract_of_an_unknown_template_is_left_out_and_the_rest_is_said(database: Database) -> None:
    async def story(street: Street) -> None:
        transaction_id = await paid_out(street)
        dispute = await street.dispute(transaction_id)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("domain.contract._TEMPLATES", {})
            transaction = await work(street, transaction_id)
            await require_answered_once(street, transaction_id, dispute)
        (one,) = transaction.disputes.values()
        assert one.answer is not None
        made = await assemble(street.world.tools, transaction_id, one, one.answer.evidence_version or 0)
        assert b"ESCROW AGREEMENT" in made.content
        assert made.sha256 != one.answer.evidence_sha256

    tell(database.app_dsn, story)
