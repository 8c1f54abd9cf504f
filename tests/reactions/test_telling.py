"""Every kind of event is told of to somebody, or somebody wrote down why not; and every message can be written."""

from importlib.resources import files
from itertools import product

import pytest

from docs.generate import descend, import_rooms
from domain.event import Event
from domain.policy import Silence
from domain.transaction.payment import Mismatch
from domain.transaction.records import ApprovalAction, Basis, DisputeSource, Finding, PayoutPurpose
from reactions.notice import REMINDER
from reactions.telling import OF_LISTING, OF_TRANSACTION, OF_USER, TOLD, UNTOLD
from reactions.writing import Unwritable, write

OF_THE_ACCOUNT = {
    "api_key_created": ("what", "at"),
    "new_sign_in": ("at",),
    "password_changed": ("at",),
    "password_reset": ("at",),
    "second_factor_changed": ("what", "at"),
    "payout_account_changed": ("at",),
    "phone_changed": ("at",),
}
"""What identity tells of by itself, with the facts that it gives."""
VALUES = {
    "role": ("buyer", "seller"),
    "by": ("buyer", "seller"),
    "signer_role": ("buyer", "seller"),
    "kind": tuple(Mismatch),
    "outcome": tuple(Silence),
    "basis": tuple(Basis),
    "source": tuple(DisputeSource),
    "finding": tuple(Finding),
    "action": tuple(ApprovalAction),
    "purpose": tuple(PayoutPurpose),
    "what": ("app_begun", "key_added", "key_removed", "recovery_key", "recovery_codes"),
}
"""What a fact can be, where a template decides by it."""
MARKUP = '<img src=x onerror="alert(1)">'
TELLINGS = {
    telling.template: telling
    for table in (OF_TRANSACTION, OF_LISTING, OF_USER)
    for tellings in table.values()
    for telling in tellings
}


def facts_of(template: str) -> dict[str, tuple[str, ...]]:
    """The facts that this template is given, each with all its values."""
    if template in OF_THE_ACCOUNT:
        names = OF_THE_ACCOUNT[template]
    elif template == REMINDER:
        names = ("transaction", "price", "role", "ends", "outcome")
    else:
        shown = TELLINGS[template].facts
        names = ("transaction", "price", "role", *(name.removesuffix("_minor").removesuffix("_at") for name in shown))
        names += ("amount", "purpose") if template.startswith("payout_") else ()
        names += ("listing",) if template.startswith("listing_") else ()
    return {name: tuple(str(value) for value in VALUES.get(name, (MARKUP,))) for name in names}


def test_every_kind_of_event_is_told_of_or_somebody_says_why_not() -> None:
    import_rooms()
    topics = {kind.__dict__["TOPIC"] for kind in descend(Event) if "TOPIC" in kind.__dict__}
    assert topics == TOLD | set(UNTOLD)
    assert TOLD.isdisjoint(UNTOLD)
    assert all(reason.strip() for reason in UNTOLD.values())


def test_every_template_is_used_and_every_one_that_is_used_is_there() -> None:
    folder = files("reactions").joinpath("templates")
    names = {path.name.removesuffix(".txt") for path in folder.iterdir() if path.name.endswith(".txt")}
    assert names - {"letter"} == {*TELLINGS, *OF_THE_ACCOUNT, REMINDER}


@pytest.mark.parametrize("template", sorted({*TELLINGS, *OF_THE_ACCOUNT, REMINDER}))
def test_a_message_can_be_written_whatever_its_facts_say(template: str) -> None:
    facts = facts_of(template)
    for values in product(*facts.values()):
        letter = write(template, dict(zip(facts, values, strict=True)))
        assert letter.subject.strip() == letter.subject
        assert 5 <= len(letter.subject) <= 78
        assert "\n" not in letter.subject
        paragraphs = letter.text.split("\n\n")
        assert len(paragraphs) >= 3, "a greeting, something to say, and where to look"
        assert "{" not in letter.text + letter.html
        assert MARKUP not in letter.html
        assert "http" not in letter.text


@pytest.mark.parametrize("template", sorted({*TELLINGS, *OF_THE_ACCOUNT, REMINDER}))
def test_a_missing_fact_is_an_error_and_not_a_gap(template: str) -> None:
    names = set(facts_of(template)) - {"role", "transaction", "listing", "price"}
    if names:
        with pytest.raises(Unwritable):
            write(template, {"role": "buyer"})


@pytest.mark.parametrize(("source", "stands_still"), [("buyer", True), ("admin", True), ("seller", False)])
def test_a_dispute_of_the_seller_promises_no_standstill(source: str, *, stands_still: bool) -> None:
    """What gives the money back to the buyer goes on under it."""
    for role in ("buyer", "seller"):
        letter = write("dispute_opened", {"role": role, "source": source, "transaction": "t", "price": "KES 1.00"})
        assert ("no deadline runs" in letter.text) is stands_still


@pytest.mark.parametrize("template", ["nothing", "letter/../opened", "../../identity/user", "letter.html", ""])
def test_a_template_that_does_not_exist_is_refused(template: str) -> None:
    with pytest.raises(Unwritable):
        write(template, {})
