"""The balance that transfers are paid from. https://paystack.com/docs/api/transfer-control/"""

from gateways.errors import GatewayUncertain
from gateways.payment import Balance
from gateways.paystack.http import PaystackHttp
from gateways.paystack.payload import JsonObject, is_list, is_object, require_currency, require_integer


async def fetch(http: PaystackHttp) -> tuple[Balance, ...]:
    """GET /balance: one line per currency."""
    return parse_balances(await http.get("/balance"))


def parse_balances(envelope: JsonObject) -> tuple[Balance, ...]:
    """Read the list of balances; raise `GatewayUncertain` if any line cannot be read."""
    lines = envelope.get("data")
    if not is_list(lines):
        raise GatewayUncertain("the list of balances is not a list")
    return tuple(_parse(line if is_object(line) else {}) for line in lines)


def _parse(line: JsonObject) -> Balance:
    return Balance(currency=require_currency(line), balance_minor=require_integer(line, "balance"))
