"""The way of every command: who, which key, which version, dry or not; then one call; then the same answer for ever."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends
from fastapi import Request as HttpRequest
from pydantic import BaseModel
from starlette.responses import Response

from api.access import act, act_as, act_as_staff, require_fresh, require_verified, sign_in
from api.dependencies import Dependencies, dependencies_of
from api.errors import KeyRequired
from api.http.dry_run import read_dry_run
from api.http.json_reader import JSON, Object
from api.http.path import PathId
from api.http.scope import body_of, request_id_of
from api.sight import can_see
from domain.actor import Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command
from domain.errors import EscrowError, IdempotencyMismatch, NotFound, PreconditionFailed
from domain.transaction import Transaction
from eventstore.escrow import Request, Result
from eventstore.log import find_command
from eventstore.proposal import SealedAnswer
from identity.authenticator import Session

A = TypeVar("A", bound=Aggregate)
View = Callable[[A, Actor], BaseModel]

FIT_KEY = re.compile(r"[\x21-\x7e]{1,255}")
VERSION_TAG = re.compile(r'"([1-9][0-9]{0,17})"', re.ASCII)
NEVER = -1
DERIVED_LENGTH = 256
# A typed name or a few words are no secret, but their unsalted hash in the log, for ever, would give them away.
SECRET_FIELDS = frozenset(
    {
        "password",
        "credentials",
        "legal_name",
        "statement",
        "title",
        "description",
        "otp",
        "bank_code",
        "account_number",
        "code",
        "recovery_code",
        "mailed_code",
    }
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one command is handed in; `execute` carries it out and answers."""

    dependencies: Dependencies
    session: Session
    request: Request
    expected_version: int | None
    is_dry: bool

    @property
    def actor(self) -> Actor:
        """Who acts, in the role of this route."""
        return self.request.actor

    async def run(self, stream_id: UUID, command: Command[A], *, answer: SealedAnswer | None = None) -> Result[A]:
        """Carry the command out, and count what was written or refused. Raises what `Escrow.execute` raises."""
        commands = self.dependencies.metrics.commands
        try:
            result = await self.dependencies.escrow.execute(
                stream_id,
                command,
                self.request,
                expected_version=self.expected_version,
                answer=answer,
                dry_run=self.is_dry,
            )
        except PreconditionFailed:
            commands.labels("refused").inc()
            await self._require_sight(stream_id, command)
            raise
        except EscrowError as error:
            commands.labels("refused" if error.is_refusal else "failed").inc()
            raise
        if not self.is_dry:
            commands.labels("replayed" if result.replayed else "stored").inc()
        return result

    async def is_repeat(self) -> bool:
        """Whether this very request was carried out before; a dry run is decided anew, whatever its key was used for.

        Raises IdempotencyMismatch where the key was used for another one, whatever that is about, if it exists or not.
        """
        if self.is_dry:
            return False
        recorded = await find_command(self.dependencies.pool, self.request.command_id)
        if recorded is not None and recorded.request_digest != self.request.digest:
            raise IdempotencyMismatch
        return recorded is not None

    async def rehearse(self, stream_id: UUID, command: Command[A]) -> Result[A] | None:
        """Decide without writing; None when the command was carried out before. Raises what `run` would."""
        return None if await self.is_repeat() else await self.decide(stream_id, command)

    async def decide(self, stream_id: UUID, command: Command[A]) -> Result[A]:
        """Decide as of now, without writing, whatever the key was used for. Raises what `run` would."""
        return await replace(self, is_dry=True).run(stream_id, command)

    async def get(self, kind: type[A], stream_id: UUID) -> A:
        """Return what the command is about, as it is now. Raises IdempotencyMismatch, and only then NotFound."""
        await self.is_repeat()
        return await self.dependencies.escrow.get(kind, stream_id)

    async def require_version(self, kind: type[Aggregate], stream_id: UUID) -> None:
        """Compare If-Match with a stream that the command itself does not lead with.

        Raises IdempotencyMismatch, PreconditionFailed, and NotFound for strangers, whatever version they name.
        """
        if self.expected_version is None or await self.is_repeat():
            return
        found = await self.dependencies.escrow.get(kind, stream_id)
        if not can_see(found, self.actor):
            raise NotFound
        if found.version != self.expected_version:
            raise PreconditionFailed

    def require_new(self) -> None:
        """What is about to be made has no version that If-Match could name. Raises PreconditionFailed."""
        if self.expected_version is not None:
            raise PreconditionFailed

    async def _require_sight(self, stream_id: UUID, command: Command[A]) -> None:
        """A stale version must not tell strangers that there is something."""
        found = await self.dependencies.escrow.get(command.aggregate_type, stream_id)
        if not can_see(found, self.actor):
            raise NotFound

    async def execute(self, stream_id: UUID, command: Command[A], view: View[A], *, status: int = 200) -> Response:
        """Carry the command out and show what became of its stream."""
        result = await self.run(stream_id, command)
        return self.answer(result, view(result.aggregate, self.actor), status=status)

    async def create(self, command: Command[A], view: View[A]) -> Response:
        """Carry out a command that starts a stream."""
        self.require_new()
        return await self.execute(self.dependencies.escrow.new_id(), command, view, status=201)

    def answer(self, result: Result[A], body: BaseModel, *, status: int = 200) -> Response:
        """Return the answer: a function of the events of the command and of nothing else."""
        headers = {"ETag": f'"{result.aggregate.version}"', "Escrow-Position": str(result.position)}
        if result.replayed:
            headers["Idempotency-Replayed"] = "true"
        if self.is_dry:
            headers = {"Escrow-Dry-Run": "true"}
            status = 200
        return Response(body.model_dump_json(), status, headers, "application/json")

    def about(self, subject: str) -> "Desk":
        """Return the same desk for a request that is also about a file, say: another one makes it another request."""
        digest = hashlib.sha256(self.request.digest + subject.encode()).digest()
        return replace(self, request=replace(self.request, digest=digest))

    def acting(self, actor: Actor) -> "Desk":
        """Return the same desk for the same person in another role."""
        return replace(self, request=replace(self.request, actor=actor))


def read_key(header: str | None) -> str:
    """Return the Idempotency-Key. Raises KeyRequired."""
    if header is None or not FIT_KEY.fullmatch(header):
        raise KeyRequired
    return header


def make_request(http: HttpRequest, actor: Actor, key: str) -> Request:
    """Return what makes the request recognisable.

    The key belongs to the actor; that it is used for one route and one body only is for the digest to say.
    """
    return Request(
        actor=actor,
        command_id=hashlib.sha256(f"{actor.id}\n{key}".encode()).digest(),
        digest=digest_of(http),
        request_id=request_id_of(http.scope),
    )


def digest_of(http: HttpRequest) -> bytes:
    """Return the SHA-256 of a request; what is secret in it is left out, so that the log cannot be used to guess it."""
    body = leave_out_secrets(body_of(http.scope))
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{http.method} {http.scope['path']}\n{canonical}".encode()).digest()


def leave_out_secrets(body: Object | None) -> JSON:
    """Return the body without its secret fields; an absent body is an empty one."""
    return {name: value for name, value in (body or {}).items() if name not in SECRET_FIELDS}


def read_if_match(header: str | None) -> int | None:
    """Return the version that If-Match names; one that no stream has for what was never given out as a tag.

    A list of tags (RFC 9110, section 13.1.1) counts as that: a client has read one version and decides upon that one.
    """
    if header is None or header.strip() == "*":
        return None
    match = VERSION_TAG.fullmatch(header.strip())
    return int(match[1]) if match else NEVER


async def _open(
    http: HttpRequest, choose: Callable[[Session], Actor], derived: str | None = None, *, fresh: bool = False
) -> Desk:
    session = await sign_in(http)
    actor = choose(session)
    require_verified(session)
    if fresh:
        require_fresh(session, dependencies_of(http).clock())
    return Desk(
        dependencies=dependencies_of(http),
        session=session,
        request=make_request(http, actor, derived or read_key(http.headers.get("idempotency-key"))),
        expected_version=read_if_match(http.headers.get("if-match")),
        is_dry=read_dry_run(http.scope),
    )


def _act_as_buyer(session: Session) -> Actor:
    return act_as(session, Role.BUYER)


def _act_as_seller(session: Session) -> Actor:
    return act_as(session, Role.SELLER)


async def open_desk(http: HttpRequest) -> Desk:
    """For the parties of a transaction, which knows them by their ids."""
    return await _open(http, act)


async def open_revealing_desk(http: HttpRequest) -> Desk:
    """For seeing what is shown once: the person was confirmed within five minutes."""
    return await _open(http, act, fresh=True)


async def open_buying_desk(http: HttpRequest) -> Desk:
    """For buying."""
    return await _open(http, _act_as_buyer)


async def open_selling_desk(http: HttpRequest) -> Desk:
    """For selling."""
    return await _open(http, _act_as_seller)


async def open_staff_desk(http: HttpRequest) -> Desk:
    """For staff, in their highest role."""
    return await _open(http, act_as_staff)


async def open_deciding_desk(http: HttpRequest) -> Desk:
    """For staff who move money: confirmed within five minutes."""
    return await _open(http, act_as_staff, fresh=True)


async def open_runbook_desk(http: HttpRequest, transaction_id: PathId) -> Desk:
    """For the two routes that the runbook prints without a key: a missing one is derived, for the body that it prints.

    It is made of the actor, the transaction, its version and the body, so that of several sent at once one is done.
    What comes once that is done is another request, and finds nothing left to do; with more than a reason in the body
    that is not sure, so it needs a key. Raises NotFound, and KeyRequired.
    """
    if "idempotency-key" in http.headers or (body_of(http.scope) or {}).keys() != {"reason"}:
        return await open_deciding_desk(http)
    session = await sign_in(http)
    actor = act_as_staff(session)
    transaction = await dependencies_of(http).escrow.get(Transaction, transaction_id)
    digest = digest_of(http).hex()
    return await _open(http, act_as_staff, derive_key(actor, transaction.version, digest), fresh=True)


def derive_key(actor: Actor, version: int, digest: str) -> str:
    """Return a key that no client could send: it is longer than theirs may be."""
    return f"{actor.id}:{version}:{digest}".ljust(DERIVED_LENGTH, ".")


PartyDesk = Annotated[Desk, Depends(open_desk)]
BuyingDesk = Annotated[Desk, Depends(open_buying_desk)]
SellingDesk = Annotated[Desk, Depends(open_selling_desk)]
RevealingDesk = Annotated[Desk, Depends(open_revealing_desk)]
StaffDesk = Annotated[Desk, Depends(open_staff_desk)]
DecidingDesk = Annotated[Desk, Depends(open_deciding_desk)]
RunbookDesk = Annotated[Desk, Depends(open_runbook_desk)]
