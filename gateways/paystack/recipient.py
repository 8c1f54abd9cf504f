"""Recipients: the accounts that can be paid. https://paystack.com/docs/api/transfer-recipient/"""

from gateways.payment import NewRecipient, Recipient
from gateways.paystack.http import PaystackHttp
from gateways.paystack.payload import JsonObject, boolean, child, mode, require_currency, require_text, text


async def create(http: PaystackHttp, recipient: NewRecipient) -> Recipient:
    """POST /transferrecipient; the same account number returns the recipient that exists, so repeating is harmless."""
    body = {
        "type": recipient.type,
        "name": recipient.name,
        "account_number": recipient.account_number,
        "bank_code": recipient.bank_code,
        "currency": recipient.currency.value,
    }
    return parse_recipient(child(await http.post("/transferrecipient", body), "data"))


def parse_recipient(data: JsonObject) -> Recipient:
    """Read a recipient; a missing `active` counts as active, a missing `is_deleted` as not deleted."""
    details = child(data, "details")
    return Recipient(
        recipient_code=require_text(data, "recipient_code"),
        type=require_text(data, "type"),
        currency=require_currency(data),
        mode=mode(data),
        is_active=boolean(data, "active") is not False,
        is_deleted=boolean(data, "is_deleted", "isDeleted") is True,
        name=text(data, "name"),
        account_name=text(details, "account_name"),
        account_number=text(details, "account_number"),
        bank_code=text(details, "bank_code"),
        bank_name=text(details, "bank_name"),
    )
