-- name: empty_commands
-- A table of which a page cannot be read cannot be deleted from row by row; this gives it and its index new files.
TRUNCATE public.idempotency;

-- name: forget_checkpoints
-- The places of projections that this program does not have.
DELETE FROM public.projection_checkpoints
WHERE name = ANY(%s)
RETURNING name;

-- name: end_stops
-- Nothing moves these projections past the event at which they stopped any more.
UPDATE public.projection_failures
SET resolved_at = clock_timestamp()
WHERE name = ANY(%s) AND resolved_at IS NULL;
