"""Every projection there is, in the order in which they are folded."""

from projections.ledger import LEDGER
from projections.projection import Projection
from projections.transaction import TRANSACTIONS

PROJECTIONS: tuple[Projection, ...] = (TRANSACTIONS, LEDGER)


def find_projection(name: str) -> Projection:
    """Return the projection with this name; raise KeyError."""
    return {projection.name: projection for projection in PROJECTIONS}[name]
