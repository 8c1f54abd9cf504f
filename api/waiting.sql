-- name: get_reached
-- The position that the slowest read model has reached.
SELECT coalesce(min(position), 0)
FROM public.projection_checkpoints;

-- name: list_checkpoints
-- How far each read model is, and why it stopped.
SELECT
    name,
    position,
    updated_at,
    error
FROM public.projection_checkpoints
ORDER BY name;
