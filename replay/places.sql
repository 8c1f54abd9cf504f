-- name: list_checkpoints
-- Name, version and position of every checkpoint of the live tables.
SELECT
    name,
    version,
    position
FROM public.projection_checkpoints
ORDER BY name;

-- name: list_stops
-- Every stop of a projection, open or over.
SELECT
    name,
    position,
    error,
    failed_at,
    resolved_at
FROM public.projection_failures;

-- name: drop_lost
-- What cannot be read is dropped unread.
DROP TABLE IF EXISTS {table};
