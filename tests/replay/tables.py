"""The tables that a rebuild makes anew."""

import psycopg

from projections.registry import PROJECTIONS
from replay.shape import list_tables
from tests.replay.conftest import Recorded

TABLES = list_tables(PROJECTIONS)


def table_oids(recorded: Recorded) -> dict[str, int]:
    with psycopg.connect(recorded.database.owner_dsn) as connection:
        return dict(
            connection.execute("SELECT relname, oid::int FROM pg_class WHERE relname = ANY(%s)", (TABLES,)).fetchall()
        )
