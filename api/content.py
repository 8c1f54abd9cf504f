"""What parties write: kept erasable under an id that a repeat finds again; the log gets only a salted hash."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from psycopg.types.json import Jsonb

from api.dependencies import Dependencies
from database.connect import Pool
from database.queries import load
from domain.content import SALT_BYTES, Text, hash_content
from domain.errors import IdempotencyMismatch
from eventstore.escrow import Request
from reactions.toolbox import Toolbox

SQL = load("api", "content.sql")

NOT_YET_KEPT = "0" * 64
"""Stands for the hash of a text while nothing is written."""


@dataclass(frozen=True, slots=True)
class Content:
    """A text that is kept: `sha256` covers the salt and the text, in hexadecimal."""

    id: UUID
    sha256: str


def content_id_of(request: Request, kind: str) -> UUID:
    """Return the id of what this request says: the same for a repeat, another one for another request."""
    digest = hashlib.sha256(b"content\0" + kind.encode() + request.command_id + request.digest).digest()
    return UUID(bytes=digest[:16], version=4)


def rehearse_content(request: Request, kind: str) -> Content:
    """Return what stands for a text while nothing is written."""
    return Content(content_id_of(request, kind), NOT_YET_KEPT)


async def keep_content(dependencies: Dependencies, request: Request, kind: str, text: Text) -> Content:
    """Keep a text, durably, before the event that names it; a repeat gets what the first time kept."""
    content_id, salt = content_id_of(request, kind), dependencies.random_bytes(SALT_BYTES)
    facts = {"owner_id": UUID(request.actor.id), "kind": kind, "at": dependencies.clock()}
    return await _keep(dependencies.pool, content_id, facts, salt, text)


async def keep_words(
    dependencies: Dependencies, request: Request, kind: str, text: Text, said: Text | None = None
) -> Content:
    """Keep a text whose words the digest of the request does not cover; what was `said` of it stands in the request.

    Without `said` that is all of it. Raises IdempotencyMismatch where the key was used for other words.
    """
    content = await keep_content(dependencies, request, kind, text)
    kept = await read_contents(dependencies.pool, [content.id])
    require_same_words(kept.get(content.id, {}), text if said is None else said)
    return content


def require_same_words(kept: Text, said: Text) -> None:
    """Raise IdempotencyMismatch unless these words are the ones that were kept; what was erased cannot be compared."""
    if any(kept.get(name, words) != words for name, words in said.items()):
        raise IdempotencyMismatch


async def keep_about(tools: Toolbox, request: Request, salt: bytes, owner_id: UUID, kind: str, text: Text) -> Content:
    """Keep, durably, what somebody else says about its owner, who may have it erased; a repeat gets what was kept.

    Raises IdempotencyMismatch where the key was used for other words: the digest of the request does not cover them.
    """
    facts = {"owner_id": owner_id, "kind": kind, "at": tools.clock()}
    content = await _keep(tools.pool, content_id_of(request, kind), facts, salt, text)
    kept = await read_contents(tools.pool, [content.id])
    require_same_words(kept.get(content.id, {}), text)
    return content


async def _keep(pool: Pool, content_id: UUID, facts: Mapping[str, object], salt: bytes, text: Text) -> Content:
    hashed = {"body": Jsonb(text), "salt": salt, "sha256": hash_content(salt, text)}
    async with pool.connection() as connection:
        await connection.execute(SQL.keep_content, {"content_id": content_id, **facts, **hashed})
        cursor = await connection.execute(SQL.get_hash, (content_id,))
        row = await cursor.fetchone()
    assert row is not None
    return Content(content_id, cast("str", row[0]))


async def read_contents(pool: Pool, ids: Sequence[UUID]) -> Mapping[UUID, Text]:
    """Return the texts that are still there."""
    async with pool.connection() as connection:
        cursor = await connection.execute(SQL.read_contents, (list(ids),))
        return {cast("UUID", row[0]): cast("Text", row[1]) for row in await cursor.fetchall()}
