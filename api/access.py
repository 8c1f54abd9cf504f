"""Who makes a request, and in which role: the bearer token, the session, the actor."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from api.dependencies import dependencies_of
from api.errors import ApiKeyInsufficient, ApiKeyOfOtherMode, NotVerified, SecondFactorRequired
from api.http.front_door import route_of
from api.http.scope import SESSION
from api.rights import RIGHTS, Right, roles_of_key
from domain.actor import Actor, Role
from domain.errors import Forbidden
from identity.api_key import mode_of
from identity.authenticator import Session
from identity.session import NotSignedIn

SCHEME = "bearer "
FRESH = timedelta(minutes=5)
HIGHEST_FIRST = (Role.SUPER_ADMIN, Role.ADMIN, Role.OPERATOR, Role.AUDITOR, Role.SELLER, Role.BUYER)


async def sign_in(request: Request) -> Session:
    """Return the session of the bearer token in the Authorization header, the only place where one is looked for.

    Raises NotSignedIn, and what `admit` raises for the route.
    """
    header = request.headers.get("authorization", "")
    if header[: len(SCHEME)].lower() != SCHEME:
        raise NotSignedIn
    token, dependencies = header[len(SCHEME) :], dependencies_of(request)
    mode = mode_of(token)
    if mode not in {None, dependencies.webhook_secret.mode}:
        raise ApiKeyOfOtherMode
    session = await dependencies.authenticator.authenticate(token)
    request.scope[SESSION] = session
    if session.scopes is not None:
        dependencies.pace.take(session.id)
    return admit(session, RIGHTS[route_of(request.scope)], dependencies.clock())


def admit(session: Session, right: Right, at: datetime) -> Session:
    """Return the session with the roles that it has on a route.

    Raises ApiKeyInsufficient, Forbidden, SecondFactorRequired, NotVerified.
    """
    if session.scopes is not None:
        session = replace(session, roles=roles_of_key(right, session.roles, session.scopes))
        if not session.roles:
            raise ApiKeyInsufficient
    elif right.roles is not None:
        _first(session, tuple(right.roles))
    if right.is_fresh:
        require_verified(session)
        require_fresh(session, at)
    return session


def act_as(session: Session, *roles: Role) -> Actor:
    """Return the actor in the first of these roles that the session has. Raises Forbidden when it has none."""
    return Actor(str(session.user_id), _first(session, roles))


def act(session: Session) -> Actor:
    """Return the actor in the highest role; a transaction knows its own parties whatever roles they have elsewhere."""
    return act_as(session, *HIGHEST_FIRST)


def act_as_staff(session: Session) -> Actor:
    """Return the actor in the higher staff role. Raises Forbidden."""
    return act_as(session, Role.SUPER_ADMIN, Role.ADMIN)


def act_as_watcher(session: Session) -> Actor:
    """Return the actor for reading what staff read; operators may too. Raises Forbidden."""
    return act_as(session, Role.SUPER_ADMIN, Role.ADMIN, Role.OPERATOR)


def act_as_auditor(session: Session) -> Actor:
    """Return the actor for reading what auditors read; staff and operators may too. Raises Forbidden."""
    return act_as(session, Role.AUDITOR, Role.SUPER_ADMIN, Role.ADMIN, Role.OPERATOR)


def require_verified(session: Session) -> None:
    """Raise NotVerified until the e-mail address is confirmed."""
    if not session.is_verified:
        raise NotVerified


async def sign_in_fresh(request: Request) -> Session:
    """Return the session of somebody who was confirmed within five minutes. Raises what both parts raise."""
    session = await sign_in(request)
    require_fresh(session, dependencies_of(request).clock())
    return session


def require_fresh(session: Session, at: datetime) -> None:
    """Raise SecondFactorRequired unless the person was confirmed within five minutes before `at`.

    It stands before what moves money or shows a secret: a token that was stolen is not enough for that.
    """
    if session.confirmed_at is None or at - session.confirmed_at > FRESH:
        raise SecondFactorRequired


def _first(session: Session, roles: Sequence[Role]) -> Role:
    for role in roles:
        if role in session.roles:
            return role
    if not session.withheld.isdisjoint(roles):
        raise SecondFactorRequired
    raise Forbidden


SessionDep = Annotated[Session, Depends(sign_in)]
FreshSessionDep = Annotated[Session, Depends(sign_in_fresh)]
