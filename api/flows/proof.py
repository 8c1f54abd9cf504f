"""Proofs of a listing: stored first, then named in the log; opened by those alone who have to judge them."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import closing
from typing import BinaryIO
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from api.command import Desk
from api.files.file_name import attachment_header, clean_name
from api.files.media import MediaType
from api.files.stored_file import StoredFile, erase_file, keep_file, mend_file, read_names
from api.files.upload import receive_file
from api.reads.reading import Reader
from api.views.proof import ProofItem, ProofsView
from database.connect import Pool
from domain.errors import EscrowError, IdempotencyMismatch, NotFound, StillRunning
from domain.listing import Listing
from domain.listing.commands import AttachProof, RemoveProof
from domain.listing.proof import Proof
from domain.transaction import Transaction
from eventstore.escrow import Result
from eventstore.log import find_command

UNKNOWN = AttachProof(proof_id=UUID(int=0), sha256="", media_type="", size_bytes=0)
"""Stands for a file while it is not known yet: who may not send one is refused before the first byte."""
PIECE_BYTES = 256 * 1024


async def attach(desk: Desk, listing_id: UUID, http: Request) -> Response:
    """Receive, look at and store a file, and put it to the listing; the same file again changes nothing."""
    await _require_sender(desk, listing_id)
    dependencies = desk.dependencies
    async with dependencies.objects.draft() as draft:
        raw_name, media_type = await receive_file(http, draft)
        desk = desk.about(draft.sha256)
        file = StoredFile(
            file_id=_id_of(desk),
            owner_id=UUID(desk.actor.id),
            sha256=draft.sha256,
            media_type=media_type,
            size_bytes=draft.size_bytes,
            name=clean_name(raw_name),
        )
        rehearsed = await desk.rehearse(listing_id, _attach(file))
        if desk.is_dry and rehearsed is not None:
            return desk.answer(rehearsed, ProofItem.of(_find(rehearsed.aggregate, file.sha256), file.name))
        if rehearsed is None:
            await mend_file(dependencies.pool, dependencies.objects, draft, file)
        else:
            await keep_file(dependencies.pool, dependencies.objects, draft, file, dependencies.clock())
    result = await _run(desk, listing_id, file)
    proof = _find(result.aggregate, file.sha256)
    names = await read_names(dependencies.pool, [proof.proof_id])
    return desk.answer(result, ProofItem.of(proof, names.get(proof.proof_id)), status=201)


async def _require_sender(desk: Desk, listing_id: UUID) -> None:
    """Refuse who may not send a file; a repeat is known by the file only, and is about the listing that its key was
    used for. Raises what `attach_proof` raises, and IdempotencyMismatch."""
    recorded = None if desk.is_dry else await find_command(desk.dependencies.pool, desk.request.command_id)
    if recorded is None:
        await desk.decide(listing_id, UNKNOWN)
    elif recorded.stream_id != listing_id:
        raise IdempotencyMismatch


async def _run(desk: Desk, listing_id: UUID, file: StoredFile) -> Result[Listing]:
    """Put a file that is kept to the listing; what the listing does not name afterwards is not kept."""
    try:
        result = await desk.run(listing_id, _attach(file))
    except StillRunning:
        raise
    except EscrowError as error:
        if error.is_refusal:
            await _erase_unless_named(desk, listing_id, file.file_id)
        raise
    await _erase_unless_named(desk, listing_id, file.file_id)
    return result


async def _erase_unless_named(desk: Desk, listing_id: UUID, file_id: UUID) -> None:
    dependencies = desk.dependencies
    if file_id not in (await dependencies.escrow.get(Listing, listing_id)).proofs:
        await erase_file(dependencies.pool, dependencies.objects, file_id, dependencies.clock())


async def remove(desk: Desk, listing_id: UUID, proof_id: UUID) -> Response:
    """Take a file away: out of the listing first, then out of the storage."""
    result = await desk.run(listing_id, RemoveProof(proof_id=proof_id))
    if not desk.is_dry:
        dependencies = desk.dependencies
        await erase_file(dependencies.pool, dependencies.objects, proof_id, dependencies.clock())
    return desk.answer(result, await _view(desk.dependencies.pool, result.aggregate))


async def show(reader: Reader, listing_id: UUID) -> ProofsView:
    """List the proofs. Raises NotFound and Forbidden."""
    return await _view(reader.dependencies.pool, await _judged(reader, listing_id))


async def download(reader: Reader, listing_id: UUID, proof_id: UUID) -> Response:
    """Hand out one file. Raises NotFound, Forbidden, and FileUnavailable when it is not what was stored."""
    listing = await _judged(reader, listing_id)
    proof = listing.proofs.get(proof_id)
    if proof is None:
        raise NotFound
    names = await read_names(reader.dependencies.pool, [proof_id])
    if proof_id not in names:
        raise NotFound
    file = await reader.dependencies.objects.open(listing.seller_id, proof.sha256)
    return serve(file, proof, names[proof_id])


def serve(file: BinaryIO, proof: Proof, name: str) -> Response:
    """Return a file as something to save: no browser shows it, runs it, keeps it, or guesses what it is."""
    media_type = MediaType(proof.media_type)
    headers = {
        "Content-Disposition": attachment_header(name, media_type),
        "Content-Length": str(proof.size_bytes),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "none",
    }
    return StreamingResponse(_pieces(file), 200, headers, media_type.value)


async def _pieces(file: BinaryIO) -> AsyncGenerator[bytes]:
    with closing(file):
        while piece := await to_thread.run_sync(file.read, PIECE_BYTES):
            yield piece


async def _judged(reader: Reader, listing_id: UUID) -> Listing:
    """Return a listing whose proofs the reader may open."""
    listing = await reader.get(Listing, listing_id)
    buyer_id = None
    if listing.transaction_id is not None:
        buyer_id = (await reader.dependencies.escrow.get(Transaction, listing.transaction_id)).buyer_id
    listing.check_proofs(reader.actor, buyer_id)
    return listing


async def _view(pool: Pool, listing: Listing) -> ProofsView:
    names = await read_names(pool, list(listing.proofs))
    return ProofsView(items=[ProofItem.of(proof, names.get(proof.proof_id)) for proof in listing.proofs.values()])


def _id_of(desk: Desk) -> UUID:
    digest = hashlib.sha256(b"file\0" + desk.request.command_id + desk.request.digest).digest()
    return UUID(bytes=digest[:16], version=4)


def _attach(file: StoredFile) -> AttachProof:
    return AttachProof(
        proof_id=file.file_id, sha256=file.sha256, media_type=file.media_type, size_bytes=file.size_bytes
    )


def _find(listing: Listing, sha256: str) -> Proof:
    proof = listing.find_proof(sha256)
    assert proof is not None, "it was attached just now, or before"
    return proof
