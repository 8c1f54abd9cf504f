"""A process that folds, and says each position that it commits.

`.venv/bin/python -m tests.projections.folding DSN SCHEMA BATCH`
"""

import sys

import psycopg

from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS


def main(dsn: str, schema: str, batch: str) -> None:
    with psycopg.connect(dsn) as connection:
        catch_up_together(
            connection,
            PROJECTIONS,
            schema=schema,
            batch_size=int(batch),
            progress=lambda position, _: print(position, flush=True),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
