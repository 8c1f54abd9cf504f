"""Contracts: once the money is held, the text that both parties are to sign; later, exactly that text again."""

from collections.abc import Sequence
from hashlib import sha256
from typing import cast
from uuid import UUID, uuid5

from database.connect import Pool
from documents.contract import Contract, Signature
from domain.contract import TEMPLATE_VERSION, Agreement, TemplateUnknown, contract_sha256, render_contract
from domain.errors import NotFound
from domain.listing import Listing
from domain.transaction import Transaction
from domain.transaction.contract import ContractGenerated, ContractMissing, ContractSigned
from domain.transaction.records import ContractStatus
from domain.transaction.system_commands import GenerateContract
from eventstore.escrow import evolve
from eventstore.log import END, RecordedEvent, read_stream
from identity.keypair import get_key_pair
from reactions.toolbox import Toolbox, order


class ContractLost(NotFound):
    """The contract cannot be shown as it was signed; its hash stands in the log."""

    code = "contract_lost"


async def generate_contract(tools: Toolbox, transaction: Transaction) -> bool:
    """Record the contract's hash and the fingerprints of both parties' keys."""
    if not transaction.is_live or transaction.contract is not ContractStatus.NONE:
        return False
    async with tools.pool.connection() as connection:
        buyer = await get_key_pair(connection, transaction.buyer_id)
        seller = await get_key_pair(connection, transaction.seller_id)
    agreement = Agreement(
        transaction=transaction,
        listing=await tools.escrow.get(Listing, transaction.listing_id),
        buyer_key=buyer.fingerprint,
        seller_key=seller.fingerprint,
    )
    command = GenerateContract(
        contract_id=uuid5(transaction.id, "contract"),
        content_sha256=contract_sha256(render_contract(agreement, TEMPLATE_VERSION)),
        template_version=TEMPLATE_VERSION,
        buyer_key_fingerprint=buyer.fingerprint,
        seller_key_fingerprint=seller.fingerprint,
    )
    await order(tools, "contracts", transaction, command)
    return True


async def read_contract(pool: Pool, transaction_id: UUID, *, to_version: int = END, to_position: int = END) -> Contract:
    """Return the contract to the byte as it was made, with the signatures up to a version or position of the log.

    Raises ContractMissing, and ContractLost when the bytes cannot be made again: what differs from the recorded hash
    is never shown as a contract.
    """
    events = await read_stream(pool, transaction_id, to_version=to_version, to_position=to_position)
    place = next((n for n, one in enumerate(events, start=1) if one.topic == ContractGenerated.TOPIC), None)
    if place is None:
        raise ContractMissing
    made = cast("ContractGenerated", events[place - 1].event)
    try:
        text = render_contract(await _agreement(pool, events[:place], made), made.template_version)
    except TemplateUnknown as error:
        raise ContractLost from error
    if contract_sha256(text) != made.content_sha256:
        raise ContractLost
    return Contract(
        transaction_id=transaction_id, text=text, made_at=made.timestamp, signatures=tuple(_signatures(events))
    )


async def _agreement(pool: Pool, events: Sequence[RecordedEvent], made: ContractGenerated) -> Agreement:
    """The transaction and its listing as they were when the contract was made: both may have changed since."""
    transaction = cast("Transaction", evolve(events))
    listed = await read_stream(pool, transaction.listing_id, to_position=events[-1].position)
    return Agreement(
        transaction=transaction,
        listing=cast("Listing", evolve(listed)),
        buyer_key=made.buyer_key_fingerprint,
        seller_key=made.seller_key_fingerprint,
    )


def _signatures(events: Sequence[RecordedEvent]) -> list[Signature]:
    signed = [(each, cast("ContractSigned", each.event)) for each in events if each.topic == ContractSigned.TOPIC]
    return [
        Signature(
            role=event.signer_role,
            signer_id=event.signer_id,
            signed_at=event.timestamp,
            name_digest=event.name_digest,
            position=recorded.position,
            event_sha256=sha256(recorded.state).hexdigest(),
        )
        for recorded, event in signed
    ]
