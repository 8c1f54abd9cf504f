"""Contracts: once the money is held, the text that both parties are to sign."""

from uuid import uuid5

from domain.contract import TEMPLATE_VERSION, contract_sha256, render_contract
from domain.transaction import Transaction
from domain.transaction.commands import GenerateContract
from domain.transaction.records import ContractStatus, SettlementStatus
from identity.keypair import get_key_pair
from reactions.toolbox import Toolbox, order


async def generate_contract(tools: Toolbox, transaction: Transaction) -> bool:
    """Record the contract's hash and the fingerprints of both parties' keys."""
    is_due = transaction.settlement is SettlementStatus.HELD and transaction.contract is ContractStatus.NONE
    if not is_due or transaction.held_minor <= 0 or transaction.charged_back_minor:
        return False
    async with tools.pool.connection() as connection:
        buyer = await get_key_pair(connection, transaction.buyer_id)
        seller = await get_key_pair(connection, transaction.seller_id)
    content = render_contract(transaction, TEMPLATE_VERSION, buyer.fingerprint, seller.fingerprint)
    command = GenerateContract(
        contract_id=uuid5(transaction.id, "contract"),
        content_sha256=contract_sha256(content),
        template_version=TEMPLATE_VERSION,
        buyer_key_fingerprint=buyer.fingerprint,
        seller_key_fingerprint=seller.fingerprint,
    )
    await order(tools, "contracts", transaction, command)
    return True
