"""What tables say, in short: equal for equal rows, on whatever machine they were folded."""

from collections.abc import Sequence

from psycopg import Connection, sql

from replay.compare import SQL

FINGERPRINT = """
SELECT count(*),
       coalesce(sum(('x' || left(encode(sha256(convert_to(t::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint), 0)::text
FROM {table} AS t
"""


def fingerprint(connection: Connection, schema: str, tables: Sequence[str]) -> dict[str, str]:
    """How many rows each table has, and a sum over the hashes of their texts, in whatever order they lie."""
    connection.execute(SQL.read_as_everywhere)
    prints: dict[str, str] = {}
    for table in tables:
        statement = sql.SQL(FINGERPRINT).format(table=sql.Identifier(schema, table))
        rows, total = connection.execute(statement).fetchone()
        prints[table] = f"{rows}:{int(total):x}"
    return prints
