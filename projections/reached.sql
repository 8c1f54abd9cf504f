-- name: get_reached
-- The position that the slowest of these read models, or of all, has reached.
SELECT coalesce(min(position), 0) AS position
FROM public.projection_checkpoints
WHERE cardinality(%(names)s::text []) = 0 OR name = ANY(%(names)s);
