"""The hosted checkout page, as a page that a person can click: pay, fail, abandon, pay late."""

from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse

from gateways.paystack.sim.payments import is_open
from gateways.paystack.sim.records import ChargeRecord
from gateways.paystack.sim.state import Sim

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Checkout (stand-in)</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem }}
h1 {{ font-size: 2rem; margin: 0 }}
dl, form {{ display: grid; grid-template-columns: auto 1fr; gap: .5rem 1rem; align-items: center }}
dd {{ margin: 0; overflow-wrap: anywhere }}
dt, .note, form span {{ opacity: .75 }}
button {{ font: inherit; padding: .5rem 1rem; border: 1px solid; border-radius: .25rem }}
button {{ background: none; color: inherit }}
button.pay {{ background: #0a6b3d; border-color: #0a6b3d; color: #fff }}
.note {{ border-top: 1px solid; padding-top: 1rem; font-size: .875rem }}
</style></head>
<body><main>
<h1>{amount}</h1>
<dl><dt>Reference</dt><dd>{reference}</dd><dt>Payer</dt><dd>{email}</dd>
<dt>Status</dt><dd role="status">{status}</dd></dl>
{actions}
<p class="note">This page stands in for Paystack's checkout. No real money moves.</p>
</main></body></html>
"""
_BUTTONS = """<form method="post">
<button class="pay" name="outcome" value="success">Pay</button><span>The payment succeeds; the merchant is told.</span>
<button name="outcome" value="failed">Fail</button><span>The bank declines. Nobody is told.</span>
<button name="outcome" value="abandoned">Abandon</button><span>Go away. It can still be paid later.</span>
<button name="outcome" value="late">Pay late</button><span>Go away now, and pay in {late}.</span>
</form>"""
_HOUR_SECONDS = 3600


def render(sim: Sim, charge: ChargeRecord) -> HTMLResponse:
    """The page of a charge; everything that came from outside is escaped."""
    page = _PAGE.format(
        amount=escape(_money(charge.paid_currency or charge.currency, charge.paid_minor or charge.amount_minor)),
        reference=escape(charge.reference),
        email=escape(charge.email),
        status=escape(charge.status),
        actions=_BUTTONS.format(late=_duration(sim.behaviour.late_seconds)) if is_open(sim, charge) else _over(charge),
    )
    return HTMLResponse(page, headers=HEADERS)


def _over(charge: ChargeRecord) -> str:
    back = return_address(charge)
    link = "" if back is None else f' <a href="{escape(back)}">Return to the merchant</a>'
    return f"<p>This checkout is over.{link}</p>"


def _money(currency: str, amount_minor: int) -> str:
    whole, cents = divmod(amount_minor, 100)
    return f"{currency} {whole:,}.{cents:02d}"


def _duration(seconds: float) -> str:
    return f"{seconds / _HOUR_SECONDS:g} hours" if seconds >= _HOUR_SECONDS else f"{seconds:g} seconds"


def return_address(charge: ChargeRecord) -> str | None:
    """Where the payer goes afterwards: the callback URL with both names of the reference, if it is a web address."""
    if charge.callback_url is None or urlsplit(charge.callback_url).scheme not in ("http", "https"):
        return None
    query = urlencode({"trxref": charge.reference, "reference": charge.reference})
    return f"{charge.callback_url}{'&' if urlsplit(charge.callback_url).query else '?'}{query}"
