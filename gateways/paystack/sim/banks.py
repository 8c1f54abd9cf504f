"""Banks at the stand-in, and the names behind account numbers."""

from gateways.paystack.payload import as_integer
from gateways.paystack.sim.calls import Answer, Call, Refusal, good
from gateways.paystack.sim.state import Sim

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
