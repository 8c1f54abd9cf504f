-- name: list_checkpoints
-- How far each read model is, and why it stopped.
SELECT
    name,
    position,
    updated_at,
    error
FROM public.projection_checkpoints
ORDER BY name;
