"""Recipients, banks and balances at the stand-in."""

from gateways.paystack.payload import as_integer
from gateways.paystack.sim.calls import Answer, Call, Refusal, good, not_found, page, require_currency, require_text
from gateways.paystack.sim.clock import brief
from gateways.paystack.sim.records import RecipientRecord
from gateways.paystack.sim.state import TRANSFER_CURRENCIES, Sim

TYPES = ("nuban", "ghipss", "mobile_money", "mobile_money_business", "kepss", "basa", "authorization")
UNKNOWN_ACCOUNT = "0000000000"
BANKS = (
    ("Access Bank", "044", "Nigeria", "NGN", "nuban"),
    ("Guaranty Trust Bank", "058", "Nigeria", "NGN", "nuban"),
    ("Zenith Bank", "057", "Nigeria", "NGN", "nuban"),
    ("GCB Bank Limited", "040100", "Ghana", "GHS", "ghipss"),
    ("MTN", "MTN", "Ghana", "GHS", "mobile_money"),
    ("KCB Bank", "01", "Kenya", "KES", "kepss"),
    ("M-PESA", "MPESA", "Kenya", "KES", "mobile_money"),
    ("M-PESA Till", "MPTILL", "Kenya", "KES", "mobile_money_business"),
    ("Standard Bank South Africa", "051001", "South Africa", "ZAR", "basa"),
)
_RESOLVABLE = ("NGN", "GHS")


def create(sim: Sim, call: Call) -> Answer:
    """POST /transferrecipient: the same account again gives the recipient that exists."""
    wanted = _new_recipient(sim, call)
    same = (known for known in sim.store.recipients.all() if _account(known) == _account(wanted))
    recipient = next(same, wanted)
    sim.store.recipients.put(recipient.recipient_code, recipient)
    return good("Transfer recipient created successfully", view(sim, recipient), status=201)


def fetch(sim: Sim, call: Call) -> Answer:
    """GET /transferrecipient/{code}."""
    recipient = sim.store.recipients.get(call.path["code"])
    if recipient is None:
        raise not_found("Recipient not found", "recipient_not_found")
    return good("Recipient retrieved", view(sim, recipient))


def list_banks(sim: Sim, call: Call) -> Answer:
    """GET /bank, filtered by country, currency and type."""
    del sim
    wanted = {name: call.query[name].lower() for name in ("country", "currency", "type") if name in call.query}
    rows = [_bank_view(number, bank) for number, bank in enumerate(BANKS, start=1)]
    chosen = [row for row in rows if all(str(row[name]).lower() == value for name, value in wanted.items())]
    return good("Banks retrieved", chosen)


def resolve_account(sim: Sim, call: Call) -> Answer:
    """GET /bank/resolve, for NGN and GHS; the account 0000000000 is unknown everywhere."""
    del sim
    number, code = call.query.get("account_number", ""), call.query.get("bank_code", "")
    bank = next((at for at, bank in enumerate(BANKS, start=1) if bank[1] == code and bank[3] in _RESOLVABLE), None)
    if bank is None or as_integer(number) is None or number == UNKNOWN_ACCOUNT:
        message = "Could not resolve account name. Check parameters or try again."
        raise Refusal(message, "invalid_bank_code" if bank is None else "unresolved_account", status=422)
    return good(
        "Account number resolved",
        {"account_number": number, "account_name": f"ACCOUNT {number[-4:]}", "bank_id": bank},
    )


def balances(sim: Sim, call: Call) -> Answer:
    """GET /balance."""
    del call
    lines = [{"currency": currency, "balance": sim.held_minor("balance", currency)} for currency in TRANSFER_CURRENCIES]
    return good("Balances retrieved", lines)


def balance_ledger(sim: Sim, call: Call) -> Answer:
    """GET /balance/ledger: each change of the balance and the object that made it."""
    lines = [line for line in sim.store.journal.all() if line.pocket == "balance"]
    rows = [
        {
            "id": line.id,
            "domain": sim.mode.value,
            "balance": line.balance_minor,
            "currency": line.currency,
            "difference": line.difference_minor,
            "reason": line.kind,
            "model_responsible": _model(line.kind),
            "model_row": line.object_id,
            "createdAt": brief(line.at),
            "updatedAt": brief(line.at),
        }
        for line in lines
    ]
    return page(call, "Balance ledger retrieved", rows)


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
        "active": True,
        "createdAt": brief(recipient.created_at),
        "updatedAt": brief(recipient.created_at),
        "currency": recipient.currency,
        "domain": sim.mode.value,
        "id": recipient.id,
        "name": recipient.name,
        "recipient_code": recipient.recipient_code,
        "type": recipient.type,
        "is_deleted": False,
        "metadata": None,
        "details": details,
    }


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


def _bank_view(number: int, bank: tuple[str, str, str, str, str]) -> dict[str, object]:
    name, code, country, currency, kind = bank
    return {
        "id": number,
        "name": name,
        "slug": name.lower().replace(" ", "-"),
        "code": code,
        "longcode": "",
        "gateway": None,
        "pay_with_bank": False,
        "active": True,
        "is_deleted": False,
        "country": country,
        "currency": currency,
        "type": kind,
    }


def _model(kind: str) -> str:
    return "Transfer" if kind.startswith("transfer") else "Refund" if kind.startswith("refund") else "Transaction"
