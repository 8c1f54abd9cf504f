"""The contract as it is served: the exact bytes that are signed, or the same on paper."""

from fastapi import Request
from starlette.responses import Response

from api.http.accept import prefers
from api.reads.reading import Reader
from documents.contract import draw_contract
from documents.pdf import MEDIA_TYPE
from domain.transaction import Transaction
from eventstore.log import END
from reactions.contract import read_contract

AS_PDF: dict[int | str, dict[str, object]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}
"""What the route adds to its description."""
PLAIN = "text/plain"


async def show_contract(request: Request, reader: Reader, transaction: Transaction) -> Response:
    """Return what is signed, as text or as PDF. Raises ContractMissing and ContractLost."""
    position = await reader.past_position()
    pool = reader.dependencies.pool
    contract = await read_contract(pool, transaction.id, to_position=END if position is None else position)
    headers = {"Escrow-Contract-SHA256": contract.sha256, "Cache-Control": "no-store", "Vary": "Accept"}
    if not prefers(request.headers.get("accept"), MEDIA_TYPE, PLAIN):
        return Response(contract.text, 200, headers, f"{PLAIN}; charset=utf-8")
    headers["Content-Disposition"] = f'attachment; filename="contract-{transaction.id}.pdf"'
    return Response(draw_contract(contract), 200, headers, MEDIA_TYPE)
