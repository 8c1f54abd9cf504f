-- name: list_checkpoints
-- Name, version and position of every checkpoint of the live tables, in no order, or an index might be asked for it.
SELECT
    name,
    version,
    position
FROM public.projection_checkpoints;

-- name: list_stops
-- Every stop of a projection, open or over.
SELECT
    name,
    position,
    error,
    failed_at,
    resolved_at
FROM public.projection_failures;

-- name: look_up_each
-- The next statement looks every row up by an index; what is in none of them is read from the table.
SELECT
    set_config('enable_seqscan', 'off', TRUE),
    set_config('enable_bitmapscan', 'off', TRUE),
    set_config('enable_hashjoin', 'off', TRUE),
    set_config('enable_mergejoin', 'off', TRUE);

-- name: count_hidden_checkpoints
-- Checkpoints of the table that the index of their names does not find.
WITH stored AS MATERIALIZED (
    SELECT
        name,
        version
    FROM public.projection_checkpoints
)

SELECT count(*)
FROM stored
WHERE NOT EXISTS (SELECT FROM public.projection_checkpoints AS known WHERE known.name = stored.name);

-- name: count_hidden_stops
-- The same of stops.
WITH stored AS MATERIALIZED (
    SELECT
        name,
        position,
        failed_at,
        error
    FROM public.projection_failures
)

SELECT count(*)
FROM stored
WHERE
    NOT EXISTS (
        SELECT
        FROM public.projection_failures AS known
        WHERE
            known.name = stored.name AND known.position = stored.position AND known.failed_at = stored.failed_at
    );

-- name: reindex
-- What an index lost stands in its table.
REINDEX TABLE {table};

-- name: drop_lost
-- What cannot be read is dropped unread.
DROP TABLE IF EXISTS {table};
