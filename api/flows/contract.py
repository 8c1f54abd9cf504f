"""The contract's exact bytes, rendered from the transaction as it was when the contract was made."""

from api.dependencies import Dependencies
from domain.contract import contract_sha256, render_contract
from domain.errors import NotFound
from domain.transaction import Transaction
from domain.transaction.contract import ContractGenerated, ContractMissing
from eventstore.log import read_stream


class ContractLost(NotFound):
    """The contract cannot be shown as it was signed; its hash stands in the log."""

    code = "contract_lost"


async def get_contract(dependencies: Dependencies, transaction: Transaction) -> bytes:
    """Return what is signed. Raises ContractMissing, and ContractLost when the bytes do not have the recorded hash."""
    if transaction.contract_sha256 is None:
        raise ContractMissing
    content = _render(transaction)
    if contract_sha256(content) != transaction.contract_sha256:
        content = _render(await _as_generated(dependencies, transaction))
    if contract_sha256(content) != transaction.contract_sha256:
        raise ContractLost
    return content


def _render(transaction: Transaction) -> bytes:
    return render_contract(
        transaction,
        transaction.contract_template or "",
        transaction.buyer_key_fingerprint or "",
        transaction.seller_key_fingerprint or "",
    )


async def _as_generated(dependencies: Dependencies, transaction: Transaction) -> Transaction:
    for recorded in await read_stream(dependencies.pool, transaction.id):
        if recorded.topic == ContractGenerated.TOPIC:
            return await dependencies.escrow.get(Transaction, transaction.id, version=recorded.version)
    raise ContractMissing
