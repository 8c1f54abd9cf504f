"""The way of every read: who, which past, which position to wait for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.access import act, act_as_auditor, act_as_watcher, sign_in
from api.dependencies import Dependencies, dependencies_of
from api.http.query import read_limit, read_position_header, read_query
from api.reads.past import find_position
from api.reads.waiting import wait_for_position
from api.sight import can_see
from domain.actor import Actor
from domain.aggregate import Aggregate
from domain.errors import NotFound
from identity.authenticator import Session

A = TypeVar("A", bound=Aggregate)


@dataclass(frozen=True, slots=True)
class Reader:
    """One signed-in read; `query` holds the parameters that its route knows, each once."""

    dependencies: Dependencies
    session: Session
    actor: Actor
    query: Mapping[str, str]

    @property
    def now(self) -> datetime:
        """The present, for what somebody could do at this moment."""
        return self.dependencies.clock()

    @property
    def limit(self) -> int:
        """How many rows are wanted, 1 to 100. Raises QueryInvalid."""
        return read_limit(self.query.get("limit"))

    async def get(self, kind: type[A], stream_id: UUID) -> A:
        """Return an aggregate as it is, or was at `as_of`.

        Raises NotFound, also for what the actor may not see, then or now: what was removed is gone from the past too.
        """
        position = await self.past_position()
        found = await self.dependencies.escrow.get(kind, stream_id, at_position=position)
        present = found if position is None else await self.dependencies.escrow.get(kind, stream_id)
        if not can_see(found, self.actor) or not can_see(present, self.actor):
            raise NotFound
        return found

    async def past_position(self) -> int | None:
        """Return the position that `as_of` names, None for the present. Raises QueryInvalid for the future."""
        text = self.query.get("as_of")
        return None if text is None else await find_position(self.dependencies.pool, text, self.now)

    def show(self, aggregate: Aggregate, body: BaseModel) -> Response:
        """Return the view of one object; its ETag is what If-Match compares with."""
        headers = {"ETag": f'"{aggregate.version}"', "Cache-Control": "no-store"}
        return Response(body.model_dump_json(), 200, headers, "application/json")


async def _read(request: Request, choose: Callable[[Session], Actor], known: tuple[str, ...]) -> Reader:
    session = await sign_in(request)
    actor = choose(session)
    dependencies = dependencies_of(request)
    query = read_query(request.scope, *known)
    position = read_position_header(request.headers.get("wait-for-position"))
    if position is not None:
        await wait_for_position(dependencies, position)
    return Reader(dependencies, session, actor, query)


def _reading(choose: Callable[[Session], Actor], *known: str) -> Callable[[Request], Awaitable[Reader]]:
    async def read(request: Request) -> Reader:
        return await _read(request, choose, known)

    return read


def reading(*known: str) -> Callable[[Request], Awaitable[Reader]]:
    """Return a dependency for everybody who is signed in; `known` are the query parameters of the route."""
    return _reading(act, *known)


def reading_as_staff(*known: str) -> Callable[[Request], Awaitable[Reader]]:
    """Return a dependency for staff and operators. Raises Forbidden for others."""
    return _reading(act_as_watcher, *known)


def reading_as_auditor(*known: str) -> Callable[[Request], Awaitable[Reader]]:
    """Return a dependency for auditors, staff and operators. Raises Forbidden for others."""
    return _reading(act_as_auditor, *known)
