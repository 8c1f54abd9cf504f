"""Settings of the merchant's integration. https://paystack.com/docs/api/integration/"""

from gateways.paystack.http import PaystackHttp
from gateways.paystack.payload import child, require_integer


async def fetch_checkout_seconds(http: PaystackHttp) -> int:
    """GET /integration/payment_session_timeout: how long a checkout can be paid; 0 for ever."""
    answer = await http.get("/integration/payment_session_timeout")
    return require_integer(child(answer, "data"), "payment_session_timeout")
