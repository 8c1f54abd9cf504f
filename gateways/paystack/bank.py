"""Banks and the names behind account numbers. https://paystack.com/docs/api/miscellaneous/ and /verification/"""

from domain.money import Currency
from gateways.bank import Bank, Holder
from gateways.errors import GatewayRefused, GatewayUncertain, UnknownReference
from gateways.paystack import paging
from gateways.paystack.http import PaystackHttp
from gateways.paystack.payload import JsonObject, boolean, child, integer, require_integer, require_text, text


async def list_all(http: PaystackHttp, currency: Currency) -> tuple[Bank, ...]:
    """GET /bank, every page."""
    query = {"currency": currency.value}
    return tuple((await paging.list_all(http, "/bank", parse_bank, query, cursor=True)).values())


async def resolve(http: PaystackHttp, account_number: str, bank_code: str) -> Holder:
    """GET /bank/resolve; an account that is not found is a refusal, whatever its status code."""
    query = {"account_number": account_number, "bank_code": bank_code}
    try:
        holder = parse_holder(child(await http.get("/bank/resolve", query), "data"))
    except UnknownReference as error:
        raise GatewayRefused(error.detail, gateway_code=error.gateway_code, http_status=error.http_status) from None
    if holder.account_number != account_number:
        raise GatewayUncertain("the answer is about another account")
    return holder


def parse_bank(data: JsonObject) -> Bank:
    """Read a bank; a missing `active` counts as active. A code is text: as a number it has lost its zeros."""
    return Bank(
        processor_id=require_integer(data, "id"),
        code=require_text(data, "code"),
        name=require_text(data, "name"),
        type=text(data, "type"),
        currency=text(data, "currency"),
        is_active=boolean(data, "active") is not False and boolean(data, "is_deleted", "isDeleted") is not True,
    )


def parse_holder(data: JsonObject) -> Holder:
    """Read whose account it is; raise `GatewayUncertain` without name or number."""
    return Holder(
        account_name=require_text(data, "account_name"),
        account_number=require_text(data, "account_number"),
        bank_id=integer(data, "bank_id"),
    )
