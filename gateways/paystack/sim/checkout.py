"""The hosted checkout page, reduced to what a demonstration needs: three buttons."""

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse

from gateways.paystack.sim.records import ChargeRecord

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Checkout (stand-in)</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem; color: #1a1a1a }}
h1 {{ font-size: 1.75rem; margin: 0 }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; overflow-wrap: anywhere }}
dt {{ color: #555 }} dd {{ margin: 0 }}
button {{ font: inherit; padding: .5rem 1.25rem; margin-right: .5rem; border: 1px solid #1a1a1a; background: #fff }}
button.pay {{ background: #0a6b3d; border-color: #0a6b3d; color: #fff }}
.note {{ color: #555; border-top: 1px solid #ddd; padding-top: 1rem }}
</style></head>
<body>
<h1>{amount}</h1>
<dl><dt>Reference</dt><dd>{reference}</dd><dt>Payer</dt><dd>{email}</dd><dt>Status</dt><dd>{status}</dd></dl>
{actions}
<p class="note">This page stands in for Paystack's checkout. No real money moves.</p>
</body></html>
"""
_BUTTONS = """<form method="post">
<button class="pay" name="outcome" value="success">Pay</button>
<button name="outcome" value="failed">Fail</button>
<button name="outcome" value="abandoned">Abandon</button>
</form>"""


def render(charge: ChargeRecord) -> HTMLResponse:
    """The page of a charge; everything that came from outside is escaped."""
    whole, cents = divmod(charge.amount_minor, 100)
    is_open = charge.status in ("pending", "abandoned")
    page = _PAGE.format(
        amount=f"{escape(charge.currency)} {whole:,}.{cents:02d}",
        reference=escape(charge.reference),
        email=escape(charge.email),
        status=escape(charge.status),
        actions=_BUTTONS if is_open else "<p>This checkout is over.</p>",
    )
    return HTMLResponse(page, headers=HEADERS)


def return_address(charge: ChargeRecord) -> str | None:
    """Where the payer goes afterwards: the callback URL with both names of the reference, if it is a web address."""
    if charge.callback_url is None or urlsplit(charge.callback_url).scheme not in ("http", "https"):
        return None
    query = urlencode({"trxref": charge.reference, "reference": charge.reference})
    return f"{charge.callback_url}{'&' if urlsplit(charge.callback_url).query else '?'}{query}"
