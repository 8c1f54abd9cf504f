"""Revealing: checked, opened in memory, sealed for the client, recorded together with the sealed answer, sent once."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from uuid import UUID

from api.command import Desk
from api.flows.deposit import read_deposit
from api.flows.signing import open_own_key
from api.http.json_reader import Object
from database.queries import load
from domain.errors import EscrowError, Refused
from domain.transaction import Transaction
from domain.transaction.commands import RevealCredentials
from domain.transaction.vault import AlreadyRevealed
from eventstore.escrow import Result
from eventstore.proposal import SealedAnswer
from vault.deposit import Document
from vault.grant import Purpose, get_grant
from vault.keypair import PublicKey
from vault.reveal import Reveal, get_answer, open_credentials, seal_answer, take_repeat
from vault.sealing import KeySuite

SQL = load("api.flows", "reveal.sql")
ANSWER_LIVES = timedelta(minutes=15)
PLAINTEXT = "plaintext"


class AnswerGone(Refused):
    """The sealed answer of this reveal was destroyed: it was acknowledged, or 15 minutes have passed."""

    code = "answer_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """The credentials on their way out: sealed to the client's key, or in the clear to a client that has none."""

    result: Result[Transaction]
    sealed: bytes | None = None
    document: Object | None = field(default=None, repr=False)


async def reveal(desk: Desk, transaction_id: UUID, password: str, client_key: bytes | None) -> Showing:
    """Show the credentials to the buyer, once. A refused attempt is kept in `refused_reveals`.

    Raises what `Transaction.reveal` raises, WrongPassword, GrantGone, UnfitPublicKey, AnswerGone.
    """
    try:
        return await _reveal(desk, transaction_id, password, client_key)
    except EscrowError as error:
        if error.is_refusal and not desk.is_dry:
            await _keep_refusal(desk, transaction_id, error.code)
        raise


async def _reveal(desk: Desk, transaction_id: UUID, password: str, client_key: bytes | None) -> Showing:
    sealed_to = PLAINTEXT if client_key is None else PublicKey(suite=KeySuite.X25519, raw=client_key).fingerprint
    command = RevealCredentials(sealed_to=sealed_to)
    rehearsed = await desk.rehearse(transaction_id, command)
    if rehearsed is None:
        return await _show_again(desk, await desk.run(transaction_id, command), password, client_key)
    if desk.is_dry:
        return Showing(result=rehearsed)
    document = await _open(desk, rehearsed.aggregate, password)
    answer = None if client_key is None else _seal(desk, rehearsed.aggregate, document, client_key)
    result = await desk.run(transaction_id, command, answer=answer)
    if result.replayed:
        return await _show_again(desk, result, password, client_key)
    if answer is not None:
        return Showing(result=result, sealed=answer.answer)
    return Showing(result=result, document=_parse(document))


async def _show_again(desk: Desk, result: Result[Transaction], password: str, client_key: bytes | None) -> Showing:
    """The same bytes for the same key; a plaintext answer has one repeat while its grant lives."""
    shown = result._replace(replayed=True)
    showing, at = _showing(desk, result.aggregate), desk.dependencies.clock()
    if client_key is not None:
        async with desk.dependencies.pool.connection() as connection:
            sealed = await get_answer(connection, desk.request.command_id, at)
        if sealed is None:
            raise AnswerGone
        return Showing(result=shown, sealed=sealed)
    shown_at = result.aggregate.shown_at
    if shown_at is None or at > shown_at + ANSWER_LIVES:
        raise AlreadyRevealed
    document = await _open(desk, result.aggregate, password)
    async with desk.dependencies.pool.connection() as connection:
        if not await take_repeat(connection, showing):
            raise AlreadyRevealed
    return Showing(result=shown, document=_parse(document))


async def _open(desk: Desk, transaction: Transaction, password: str) -> Document:
    private_key, fingerprint = await open_own_key(desk, password)
    deposit = await read_deposit(desk.dependencies.pool, transaction.vault_id)
    async with desk.dependencies.pool.connection() as connection:
        grant = await get_grant(
            connection,
            deposit,
            purpose=Purpose.DELIVERY,
            transaction_id=transaction.id,
            user_id=transaction.buyer_id,
            fingerprint=fingerprint,
        )
    return open_credentials(grant, deposit, private_key)


def _showing(desk: Desk, transaction: Transaction) -> Reveal:
    return Reveal(
        transaction_id=transaction.id,
        deposit_id=transaction.vault_id,
        user_id=transaction.buyer_id,
        command_id=desk.request.command_id,
    )


def _seal(desk: Desk, transaction: Transaction, document: Document, client_key: bytes) -> SealedAnswer:
    return SealedAnswer(
        transaction_id=transaction.id,
        deposit_id=transaction.vault_id,
        user_id=transaction.buyer_id,
        answer=seal_answer(document, _showing(desk, transaction), client_key),
        expires_at=desk.dependencies.clock() + ANSWER_LIVES,
    )


def _parse(document: Document) -> Object:
    return cast("Object", json.loads(document.content.reveal()))


async def _keep_refusal(desk: Desk, transaction_id: UUID, code: str) -> None:
    facts = {
        "at": desk.dependencies.clock(),
        "transaction_id": transaction_id,
        "user_id": UUID(desk.actor.id),
        "code": code,
        "request_id": desk.request.request_id,
    }
    async with desk.dependencies.pool.connection() as connection:
        await connection.execute(SQL.keep_refusal, facts)
