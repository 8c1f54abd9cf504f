"""Recipients at the stand-in: accounts that transfers go to."""

from gateways.paystack.sim.banks import BANKS, UNKNOWN_ACCOUNT
from gateways.paystack.sim.calls import Answer, Call, Refusal, good, not_found, require_currency, require_text
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.pages import page
from gateways.paystack.sim.records import RecipientRecord
from gateways.paystack.sim.state import TRANSFER_CURRENCIES, Sim

TYPES = ("nuban", "ghipss", "mobile_money", "mobile_money_business", "kepss", "basa", "authorization")


def create(sim: Sim, call: Call) -> Answer:
    """POST /transferrecipient: the same account again gives the recipient that exists."""
    wanted = _new_recipient(sim, call)
    same = (known for known in sim.store.recipients.all() if _account(known) == _account(wanted))
    recipient = next(same, wanted)
    recipient.is_deleted = False
    sim.store.recipients.put(recipient.recipient_code, recipient)
    return good("Transfer recipient created successfully", view(sim, recipient), status=201)


def fetch(sim: Sim, call: Call) -> Answer:
    """GET /transferrecipient/{code}."""
    return good("Recipient retrieved", view(sim, _require(sim, call)))


def update(sim: Sim, call: Call) -> Answer:
    """PUT /transferrecipient/{code}: another name; account and bank stay. The answer has no data."""
    recipient = _require(sim, call)
    recipient.name = require_text(call, "name", "Name is required")
    sim.store.recipients.put(recipient.recipient_code, recipient)
    return Answer(200, {"status": True, "message": "Recipient updated"})


def delete(sim: Sim, call: Call) -> Answer:
    """DELETE /transferrecipient/{code}: nothing is transferred to it until it is created again."""
    recipient = _require(sim, call)
    recipient.is_deleted = True
    sim.store.recipients.put(recipient.recipient_code, recipient)
    return Answer(200, {"status": True, "message": "Transfer recipient set as inactive"})


def list_recipients(sim: Sim, call: Call) -> Answer:
    """GET /transferrecipient, filtered by from and to."""
    return page(call, "Recipients retrieved", [view(sim, recipient) for recipient in sim.store.recipients.all()])


def view(sim: Sim, recipient: RecipientRecord) -> dict[str, object]:
    """A recipient as create and fetch show it."""
    names = {bank[1]: bank[0] for bank in BANKS}
    details = {
        "authorization_code": None,
        "account_number": recipient.account_number,
        "account_name": None,
        "bank_code": recipient.bank_code,
        "bank_name": names.get(recipient.bank_code),
    }
    return {
        "active": not recipient.is_deleted,
        "createdAt": brief(recipient.created_at),
        "updatedAt": brief(recipient.created_at),
        "currency": recipient.currency,
        "domain": sim.mode.value,
        "id": recipient.id,
        "name": recipient.name,
        "recipient_code": recipient.recipient_code,
        "type": recipient.type,
        "is_deleted": recipient.is_deleted,
        "metadata": None,
        "details": details,
    }


def _require(sim: Sim, call: Call) -> RecipientRecord:
    recipient = sim.store.recipients.get(call.path["code"])
    if recipient is None:
        raise not_found("Recipient not found", "recipient_not_found")
    return recipient


def _new_recipient(sim: Sim, call: Call) -> RecipientRecord:
    kind = require_text(call, "type", "Recipient type is required")
    if kind not in TYPES:
        raise Refusal("Recipient type is invalid", "invalid_params")
    number = require_text(call, "account_number", "Account number is required")
    if number == UNKNOWN_ACCOUNT:
        raise Refusal("Account number is invalid", "invalid_account_number")
    return RecipientRecord(
        id=sim.store.next_id(),
        recipient_code=sim.code("RCP_"),
        type=kind,
        name=require_text(call, "name", "Name is required"),
        account_number=number,
        bank_code=require_text(call, "bank_code", "Bank code is required"),
        currency=require_currency(call, TRANSFER_CURRENCIES, "NGN"),
        created_at=sim.clock.text(),
    )


def _account(recipient: RecipientRecord) -> tuple[str, str, str, str]:
    return recipient.type, recipient.bank_code, recipient.account_number, recipient.currency
