"""What the generated OpenAPI document cannot see by itself: headers of commands and reads, problems, security."""

from typing import cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.http.json_reader import JSON, Object
from api.rights import RIGHTS
from domain.money import PAYABLE

SUMMARY = "Escrow ledger: pay, hold, hand over, release; every change is an event."
PROBLEM: Object = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "example": "urn:escrow:problem:listing_not_for_sale"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "example": "listing_not_for_sale"},
        "state": {"type": "string", "description": "Where the object stands, when you may see it."},
        "allowed_actions": {"type": "array", "items": {"type": "string"}},
        "request_id": {"type": "string"},
    },
}
ERRORS = {
    400: "The request is malformed, or a header is missing.",
    401: "There is no valid session with this token.",
    403: "You may see this, but not do that.",
    404: "There is nothing here, or nothing that you may see.",
    405: "This address does not know that method.",
    408: "The body did not arrive in time.",
    409: "The present state does not allow this.",
    412: "This is no longer the version that If-Match names.",
    413: "The body is larger than 64 KiB, or a file than its kind may be.",
    415: "The body is not application/json, or a file is of no kind that is taken.",
    422: "A field is not valid, or the Idempotency-Key was used for another request.",
    429: "Too many requests; Retry-After says when to come back.",
    431: "There are too many headers, or they are too long.",
    502: "The payment processor did not do what was asked.",
    503: "Not available at the moment; nothing was done unless the detail says otherwise.",
}
HEADERS: Object = {
    "ETag": {"schema": {"type": "string"}, "description": "Version of the stream, in quotes."},
    "Escrow-Position": {"schema": {"type": "string"}, "description": "Position of the last event in the log."},
    "Idempotency-Replayed": {"schema": {"type": "string"}, "description": "`true` for the repeat of a first answer."},
}
FILE_FORM: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "additionalProperties": False,
                }
            }
        },
    }
}
"""The body of a route that takes one file, for `openapi_extra`."""
FILE_ANSWER: dict[int | str, dict[str, object]] = {
    200: {"description": "The file.", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}
"""The answer of a route that gives one, for `responses`."""
BANKS = "/api/v1/banks"
KEYLESS = ("/api/v1/auth/", "/api/v1/users/", "/api/v1/webhooks/", BANKS)
KEY_OPTIONAL = ("/release", "/refund")
MAY_WAIT = (*KEY_OPTIONAL, "/compensation", "/resolve")
"""What a second person may have to agree to."""
RESET = "/api/v1/auth/password-reset/confirm"
AT_PROCESSOR = ("/pay", "/payout/finalize", "/payout/resend-otp", "/refund/account")
"""What is asked of the processor before it is answered."""
NOT_YET_THERE = ("/contract", "/addendum")
"""What can be read only once the state is right for it."""
AS_OF = frozenset(
    {
        "/api/v1/transactions/{transaction_id}",
        "/api/v1/transactions/{transaction_id}/contract",
        "/api/v1/listings/{listing_id}",
        "/api/v1/catalog/{listing_id}",
        "/api/v1/admin/transactions/{transaction_id}",
        "/api/v1/audit/trial-balance",
        "/api/v1/audit/accounts",
        "/api/v1/audit/accounts/{account}/entries",
    }
)
FILTERS = {
    "/api/v1/transactions": ("state",),
    "/api/v1/listings": ("state",),
    "/api/v1/catalog": ("q", "currency", "min_amount_minor", "max_amount_minor", "sort"),
    "/api/v1/admin/transactions": ("stuck", "state"),
    "/api/v1/admin/approvals": ("status",),
    "/api/v1/admin/access-log": ("user_id", "object_id", "action", "outcome", "since", "until"),
    "/api/v1/audit/accounts/{account}/entries": ("currency",),
    "/api/v1/audit/statements": ("user_id", "transaction_id", "since", "until"),
    "/api/v1/transactions/{transaction_id}/statement": ("since", "until"),
}
LISTS = frozenset(
    {
        *FILTERS,
        "/api/v1/transactions/{transaction_id}/events",
        "/api/v1/admin/actions",
        "/api/v1/admin/alerts",
        "/api/v1/admin/security-alerts",
        "/api/v1/audit/events",
        "/api/v1/audit/reconciliations",
    }
)


def describe(app: FastAPI) -> Object:
    """Return the OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, summary=SUMMARY, routes=app.routes)
        app.openapi_schema = cast("dict[str, object]", complete(cast("Object", document)))
    return cast("Object", app.openapi_schema)


def complete(document: Object) -> Object:
    """Add what the framework does not know."""
    components = cast("Object", document.setdefault("components", {}))
    schemas = cast("Object", components.setdefault("schemas", {}))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token, or an API key (`esk_…`)."}
    }
    for path, operations in cast("dict[str, dict[str, Object]]", document["paths"]).items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return document


def _complete(path: str, method: str, operation: Object) -> None:
    operation["summary"] = str(operation.get("description", operation.get("summary"))).split("\n")[0]
    responses = cast("dict[str, JSON]", operation["responses"])
    for status, meaning in ERRORS.items():
        if status not in _impossible(path, method):
            schema: Object = {"schema": {"$ref": "#/components/schemas/Problem"}}
            responses[str(status)] = {"description": meaning, "content": {"application/problem+json": schema}}
    if not _is_open(path, method):
        operation["security"] = [{"bearer": []}]
    parameters = cast("list[JSON]", operation.setdefault("parameters", []))
    parameters.extend(_parameters(path, method))
    if _is_command(path, method):
        for status in ("200", "201", "202"):
            if status in responses:
                cast("Object", responses[status])["headers"] = HEADERS
        if "201" in responses:
            responses["200"] = dict(cast("Object", responses["201"])) | {"description": "What would be (dry_run)."}
        if path.endswith(MAY_WAIT):
            responses["202"] = dict(cast("Object", responses["200"])) | {"description": "A second person has to agree."}


def _impossible(path: str, method: str) -> frozenset[int]:
    absent: set[int] = set()
    if method == "get":
        absent |= {408, 412, 413, 415} if path.endswith(NOT_YET_THERE) else {408, 409, 412, 413, 415}
    if not path.endswith(AT_PROCESSOR):
        absent.add(502)
    if _is_open(path, method):
        absent |= {403, 429} if method == "get" else set()
    return frozenset(absent)


def _is_open(path: str, method: str) -> bool:
    return RIGHTS[f"{method.upper()} {path}"].is_open


def _is_command(path: str, method: str) -> bool:
    return method != "get" and not path.startswith(KEYLESS)


def _parameters(path: str, method: str) -> list[JSON]:
    found: list[JSON] = []
    if _is_command(path, method):
        optional = path.startswith("/api/v1/admin/transactions/") and path.endswith(KEY_OPTIONAL)
        key: Object = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        found.append(_parameter("Idempotency-Key", "header", key, required=not optional))
        found.append(_parameter("If-Match", "header", {"type": "string", "example": '"7"'}))
    if _is_command(path, method) or path == RESET:
        found.append(_parameter("dry_run", "query", {"type": "string", "enum": ["true", "false"]}))
    if method == "get" and not _is_open(path, method) and not path.startswith(KEYLESS):
        found.append(_parameter("Wait-For-Position", "header", {"type": "string", "pattern": "^(0|[1-9][0-9]{0,17})$"}))
    if path in AS_OF and method == "get":
        found.append(
            _parameter("as_of", "query", {"type": "string", "description": "A position, or an RFC 3339 time."})
        )
    if path in LISTS and method == "get":
        found.append(_parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100}))
        found.append(_parameter("cursor", "query", {"type": "string"}))
        found.extend(_parameter(name, "query", {"type": "string"}) for name in FILTERS.get(path, ()))
    if path == BANKS:
        payable: Object = {"type": "string", "enum": [*sorted(currency.value for currency in PAYABLE)]}
        found.append(_parameter("currency", "query", payable, required=True))
    return found


def _parameter(name: str, place: str, schema: Object, *, required: bool = False) -> Object:
    return {"name": name, "in": place, "required": required, "schema": schema}
