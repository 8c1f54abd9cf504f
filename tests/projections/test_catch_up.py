"""One mechanism folds the log: batches, checkpoints, schemas, and events that cannot be folded."""

import psycopg

from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from tests.conftest import Database
from tests.projections.stories import Story, append


def test_a_sale_is_folded(database: Database) -> None:
    story = Story()
    sale = story.sell()
    with psycopg.connect(database.owner_dsn) as connection:
        head = append(connection, story.events)
    with psycopg.connect(database.app_dsn) as connection:
        assert catch_up_together(connection, PROJECTIONS, batch_size=7) == head
        row = connection.execute("SELECT id, state, amount_usd FROM transactions").fetchone()
        assert row is not None
        assert row[:2] == (sale.transaction.id, "completed")
