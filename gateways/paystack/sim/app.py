"""The stand-in as an ASGI application: authentication, the endpoints with their faults, the checkout, the controls.

Served by `server.py` it works by itself in the background; run by `in_process.py` it does nothing until it is told to.
"""

import asyncio
import contextlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateways.payment import JsonObject
from gateways.paystack.payload import NotJson, decode, is_object, text
from gateways.paystack.sim import checkout, dispute_answers, faults, payments
from gateways.paystack.sim.agenda import Agenda
from gateways.paystack.sim.calls import Answer, Call, Endpoint, Refusal, good
from gateways.paystack.sim.control import CONTROLS
from gateways.paystack.sim.endpoints import ENDPOINTS
from gateways.paystack.sim.faults import Fault
from gateways.paystack.sim.state import Sim
from gateways.paystack.sim.wire import Socket, Wire

MAX_BODY_BYTES = 1024 * 1024
Handler = Callable[[Request], Awaitable[Response]]


def build_app(sim: Sim, agenda: Agenda | None = None, wire: Wire | None = None) -> Starlette:
    """The application over one merchant's account.

    Its agenda runs in the background where the server speaks the lifespan protocol (uvicorn does, `httpx.ASGITransport`
    does not).
    """
    agenda = agenda or Agenda(sim)
    wire = wire or Socket(sim.behaviour.hold_seconds)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        del app
        work = asyncio.create_task(agenda.run())
        yield
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        sim.store.commit()

    return Starlette(
        routes=_routes(sim, agenda, wire), lifespan=lifespan, exception_handlers={HTTPException: _no_such_route}
    )


def _routes(sim: Sim, agenda: Agenda, wire: Wire) -> list[Route]:
    api = [
        Route(path, _api(sim, agenda, wire, name, endpoint), methods=[method])
        for (method, path), (name, endpoint) in ENDPOINTS.items()
    ]
    panel = [Route(path, _control(sim, agenda, it), methods=[method]) for (method, path), it in CONTROLS.items()]
    page = Route("/checkout/{access_code}", _checkout(sim, agenda), methods=["GET", "POST"])
    files = Route("/files/{name}", _file_store(sim), methods=["PUT"])
    return [*api, *panel, page, files]


def _api(sim: Sim, agenda: Agenda, wire: Wire, name: str, endpoint: Endpoint) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            _authenticate(sim, request)
            call = await _read(request)
        except Refusal as refusal:
            return _json(refusal.answer())
        if (pause_seconds := sim.count_call()) > 0:
            return _throttle(pause_seconds)
        fault = sim.faults.take({name}, call.facts, faults.CALL)
        if fault is not None and fault.kind == "slow":
            await wire.pause(fault.delay_seconds)
        if fault is not None and fault.kind in faults.BEFORE:
            return await _fail(wire, fault, request)
        answer = _perform(sim, agenda, endpoint, call)
        return await _fail(wire, fault, request) if fault is not None and fault.kind in faults.AFTER else _json(answer)

    return handle


def _control(sim: Sim, agenda: Agenda, endpoint: Endpoint) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            _refuse_foreign_page(request)
            call = await _read(request)
        except Refusal as refusal:
            return _json(refusal.answer())
        return _json(_perform(sim, agenda, endpoint, call))

    return handle


def _checkout(sim: Sim, agenda: Agenda) -> Handler:
    async def handle(request: Request) -> Response:
        charge = payments.find_by_access_code(sim, request.path_params["access_code"])
        if charge is None:
            return Response("No such checkout", 404, media_type="text/plain")
        if request.method != "POST":
            return checkout.render(sim, charge)
        is_form = "form" in request.headers.get("content-type", "")
        outcome = await _read_outcome(request, is_form=is_form)
        answer = _perform(sim, agenda, lambda sim, _: _finish(sim, charge.reference, outcome), _EMPTY_CALL)
        if not is_form:
            return _json(answer)
        away = checkout.return_address(charge) if outcome in ("success", "failed") else None
        return checkout.render(sim, charge) if away is None else RedirectResponse(away, status_code=303)

    return handle


def _file_store(sim: Sim) -> Handler:
    """Where evidence is uploaded: whoever holds the address may write, as in Amazon's store behind Paystack."""

    async def handle(request: Request) -> Response:
        try:
            content = await _read_raw(request)
        except Refusal as refusal:
            return _json(refusal.answer())
        media_type = request.headers.get("content-type", "").partition(";")[0]
        status = dispute_answers.receive_file(sim, request.path_params["name"], media_type, content)
        sim.store.commit()
        return Response(status_code=status)

    return handle


def _finish(sim: Sim, reference: str, outcome: str) -> Answer:
    charge = sim.store.charges.get(reference)
    if charge is None:
        raise Refusal("No such checkout", status=404)
    payments.finish_checkout(sim, charge, outcome)
    return good("Checkout finished", {"reference": reference, "status": charge.status})


def _perform(sim: Sim, agenda: Agenda, endpoint: Endpoint, call: Call) -> Answer:
    """One call is one commit; a refusal changes nothing."""
    try:
        return endpoint(sim, call)
    except Refusal as refusal:
        return refusal.answer()
    finally:
        sim.store.commit()
        agenda.wake()


async def _read(request: Request) -> Call:
    return Call(path=request.path_params, query=request.query_params, body=await _read_body(request))


async def _read_raw(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            raise Refusal("Request is too large", status=413)
    return bytes(raw)


async def _read_body(request: Request) -> JsonObject:
    raw = await _read_raw(request)
    try:
        body = decode(raw or b"{}")
    except NotJson:
        raise Refusal("Malformed JSON in the body of the request", "invalid_json") from None
    return body if is_object(body) else {}


async def _read_outcome(request: Request, *, is_form: bool) -> str:
    if is_form:
        async with request.form() as form:
            return str(form.get("outcome", ""))
    try:
        return text(await _read_body(request), "outcome") or ""
    except Refusal:
        return ""


def _authenticate(sim: Sim, request: Request) -> None:
    header = request.headers.get("authorization")
    if header is None:
        raise Refusal("No Authorization Header was found", "no_authorization_header", status=401)
    if not hmac.compare_digest(header.encode(), f"Bearer {sim.secret.reveal()}".encode()):
        next_step = "Ensure that you provide the correct authorization key for the request"
        raise Refusal("Invalid key", "invalid_Key", status=401, next_step=next_step)


def _refuse_foreign_page(request: Request) -> None:
    """A web page may send a form or text to this address, but not JSON without asking first."""
    if request.method == "POST" and "application/json" not in request.headers.get("content-type", ""):
        raise Refusal("The control panel takes application/json", status=415)


async def _fail(wire: Wire, fault: Fault, request: Request) -> Response:
    """The ways to fail look the same from outside whether the work was done or not."""
    match fault.kind:
        case "500_before" | "500_after_commit":
            return _json(_BROKEN)
        case "timeout_before" | "accept_then_timeout":
            return await wire.keep_silent(request)
        case "reset_before" | "reset_after_commit":
            return wire.cut_off()
        case "garbage_after_commit":
            return Response("<html><body>Bad gateway</body></html>", media_type="text/html")
        case "throttle":
            return _throttle(fault.delay_seconds)
        case _:
            return _json(Refusal(fault.message, fault.code, fault.type, fault.status).answer())


def _throttle(pause_seconds: float) -> Response:
    refusal = Refusal("Too many requests", "rate_limited", "api_error", 429)
    return _json(refusal.answer(), {"Retry-After": str(int(pause_seconds))})


async def _no_such_route(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _json(Refusal("Resource not found", "resource_not_found", status=status).answer())


def _json(answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(answer.body, answer.status, headers=headers)


_BROKEN = Answer(500, {"status": False, "message": "An error occurred", "type": "api_error", "code": "unknown"})
_EMPTY_CALL = Call(path={}, query={}, body={})
