"""Who may see what: whoever may not gets the answer for something that does not exist."""

from domain.actor import PARTIES, Actor
from domain.aggregate import Aggregate
from domain.listing import Listing
from domain.transaction import Transaction


def can_see(aggregate: Aggregate, actor: Actor) -> bool:
    """Whether an actor may know that this exists; the rule is the aggregate's own."""
    if isinstance(aggregate, Transaction | Listing):
        return aggregate.may_see(actor)
    return actor.role not in PARTIES
