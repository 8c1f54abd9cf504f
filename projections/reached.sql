-- name: get_reached
-- The position that the slowest of these read models, or of all that have a checkpoint, has reached; 0 for a named one
-- that has none.
WITH asked AS (
    SELECT unnest(%(names)s::text []) AS name
    UNION
    SELECT name
    FROM public.projection_checkpoints
    WHERE cardinality(%(names)s::text []) = 0
)

SELECT coalesce(min(coalesce(reached.position, 0)), 0) AS position
FROM asked
LEFT JOIN public.projection_checkpoints AS reached ON asked.name = reached.name;
