"""One call to the stand-in and its answer, without HTTP: what the endpoints take and give."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateways.payment import JsonObject
from gateways.paystack.payload import as_integer, text
from gateways.paystack.sim.state import Sim

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request: the names in its path, its query and its JSON body."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: JsonObject

    @property
    def facts(self) -> JsonObject:
        """All fields together, for faults to match."""
        return {**self.query, **self.body, **self.path}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status code and a JSON body."""

    status: int
    body: Mapping[str, object]


Endpoint = Callable[[Sim, Call], Answer]


@dataclass(eq=False)
class Refusal(Exception):
    """A no in Paystack's words: {status: false, message, meta: {nextStep}, type, code}."""

    message: str
    code: str = "unknown"
    type: str = "validation_error"
    status: int = 400
    next_step: str = field(default="Ensure that the value(s) you're passing are valid.", repr=False)

    def answer(self) -> Answer:
        """The error body as Paystack documents it."""
        meta = {"nextStep": self.next_step}
        return Answer(
            self.status, {"status": False, "message": self.message, "meta": meta, "type": self.type, "code": self.code}
        )


def good(message: str, data: object, *, status: int = 200, **more: object) -> Answer:
    """The envelope of a success."""
    return Answer(status, {"status": True, "message": message, "data": data, **more})


def not_found(message: str, code: str) -> Refusal:
    """A 404 in Paystack's words."""
    return Refusal(message, code, status=404, next_step="Ensure that you're passing something that exists.")


def require_text(call: Call, name: str, message: str, code: str = "missing_params") -> str:
    """The text of a field of the body; a refusal with this message without one."""
    value = text(call.body, name)
    if value is None:
        raise Refusal(message, code)
    return value


def require_email(call: Call) -> str:
    """An address that could be one."""
    email = require_text(call, "email", "Invalid Email Address Passed", "invalid_email_address")
    if not _EMAIL.fullmatch(email):
        raise Refusal("Invalid Email Address Passed", "invalid_email_address")
    return email


def require_amount(call: Call) -> int:
    """A positive whole number of minor units, also as a string, as Paystack takes it."""
    amount_minor = as_integer(call.body.get("amount"))
    if amount_minor is None or amount_minor <= 0:
        raise Refusal("Invalid Amount Sent", "invalid_amount")
    return amount_minor


def require_currency(call: Call, known: Sequence[str], default: str) -> str:
    """A currency of this merchant; Paystack's default is NGN."""
    currency = (text(call.body, "currency") or default).upper()
    if currency not in known:
        raise Refusal("Currency not supported by merchant", "unsupported_currency")
    return currency
