"""Where a walk begins: the position in which a story stands, and one of each phase."""

from tests.domain import paths
from tests.domain.paths import PHASES, pending
from tests.domain.story import Story
from tests.domain.walk import Position


def position(story: Story) -> Position:
    """Where a story stands."""
    debt = paths.completed(story.beside(9, price_minor=30_000))
    debt.do(paths.chargeback("lost", 30_000))
    return Position(story.transaction, story.listing, debt.transaction, max(story.now, debt.now), (story.phase,))


def starts() -> list[Position]:
    """One story in each phase."""
    return [position(path(pending(checked=False))) for path in PHASES.values()]
