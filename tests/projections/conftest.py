"""A log with a story in it, folded."""

from collections.abc import Generator, Sequence

import psycopg
import pytest

from domain.event import Event
from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from tests.conftest import Database
from tests.projections.stories import append


class Log:
    """The log of a test's database: events go in as its owner, and are folded as the application."""

    def __init__(self, database: Database, owner: psycopg.Connection, app: psycopg.Connection) -> None:
        self.database = database
        self.owner = owner
        self.app = app

    def tell(self, events: list[Event]) -> int:
        """Append the events, emptying the list, and fold them; return the head."""
        head = append(self.owner, events)
        events.clear()
        assert catch_up_together(self.app, PROJECTIONS) == head
        return head

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """What a query returns."""
        with self.owner.transaction():
            return self.owner.execute(query.encode(), parameters).fetchall()


@pytest.fixture
def log(database: Database) -> Generator[Log]:
    with psycopg.connect(database.owner_dsn) as owner, psycopg.connect(database.app_dsn) as app:
        yield Log(database, owner, app)
