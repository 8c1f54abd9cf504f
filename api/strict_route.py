"""Routes whose arguments are taken from what the strict layers have read; the framework only describes them.

Left to itself the framework would parse every body a second time, with a reader that takes what ours refuses, and would
look at what a function wants anew for each request.
"""

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any, cast

# Private, and without another name: it is what the framework has made of each argument. The framework is pinned below
# the next version, and the tests of bad input meet every route.
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.access_log import watch_of
from api.http.scope import body_of
from api.recording import record

Arguments = dict[str, object]
Function = Callable[..., Coroutine[Any, Any, object]]  # pyright: ignore[reportExplicitAny] the type of a coroutine
Errors = list[dict[str, object]]


class IdConvertor(StringConvertor):
    """`{…:id}`: what has a digit, as every id has; for routes beside others that have a word in the same place.

    Without it the word would be taken for an id by the methods that only the route with the id knows: 404, not 405.
    """

    regex = "[^/]*[0-9][^/]*"


register_url_convertor("id", IdConvertor())


class Call:
    """One function and where each of its arguments comes from, looked at once, when the program starts."""

    def __init__(self, dependant: Dependant) -> None:
        """Raise TypeError for a kind of argument that no route of ours needs."""
        self._function = cast("Function", dependant.call)
        if not iscoroutinefunction(self._function) or len(dependant.body_params) > 1 or _is_unknown(dependant):
            raise TypeError(f"{dependant.path}: arguments are the request, ids in the path, one body, dependencies")
        self._nested = [(cast("str", nested.name), Call(nested)) for nested in dependant.dependencies]
        self._path = dependant.path_params
        self._body = dependant.body_params[0] if dependant.body_params else None
        self._request_name = dependant.request_param_name

    async def make(self, request: Request) -> object:
        """Read the arguments and call. Raises RequestValidationError, and whatever is raised on the way."""
        # In this order: who does not get in learns nothing about ids, and for a wrong id no body is looked at.
        values: Arguments = {name: await nested.make(request) for name, nested in self._nested}
        errors: Errors = []
        for field in self._path:
            values[field.name] = _validate(field, request.path_params[field.alias], ("path", field.alias), errors)
        if self._body is not None:
            values[self._body.name] = _read_body(self._body, request, errors)
        if errors:
            raise RequestValidationError(errors)
        if self._request_name is not None:
            values[self._request_name] = request
        return await self._function(**values)


def _is_unknown(dependant: Dependant) -> bool:
    return bool(
        dependant.query_params
        or dependant.header_params
        or dependant.cookie_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.http_connection_param_name
    )


def _read_body(field: ModelField, request: Request, errors: Errors) -> object:
    body = body_of(request.scope)
    if body is not None:
        return _validate(field, body, ("body",), errors)
    if field.field_info.is_required():
        errors.append({"type": "missing", "loc": ("body",)})
    return None


def _validate(field: ModelField, value: object, place: tuple[str, ...], errors: Errors) -> object:
    found, wrong = field.validate(value, {}, loc=place)
    errors.extend(cast("Errors", wrong))
    return cast("object", found)


class StrictRoute(APIRoute):
    """Give the class to a router as `route_class`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # pyright: ignore[reportExplicitAny, reportAny] the framework's own
        """Take the arguments of APIRoute."""
        super().__init__(path, endpoint, **options)
        self.path = self.path_format
        self._call = Call(self.dependant)
        self._watch = next(filter(None, (watch_of(method, self.path) for method in self.methods or ())), None)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._make(Request(scope, receive, send))
        if isinstance(answer, BaseModel):
            answer = Response(answer.model_dump_json(), self.status_code or 200, media_type="application/json")
        assert isinstance(answer, Response), "a route returns a response or a view"
        await answer(scope, receive, send)

    async def _make(self, request: Request) -> object:
        """Call, and keep who did what, whatever came of it, before anything goes out."""
        if self._watch is None:
            return await self._call.make(request)
        try:
            answer = await self._call.make(request)
        except Exception as error:
            await record(self._watch, request, error)
            raise
        await record(self._watch, request, None)
        return answer
