-- name: list_installed
-- How far the live tables are.
SELECT
    name,
    version,
    position,
    updated_at,
    error,
    error_position
FROM public.projection_checkpoints
ORDER BY name;

-- name: may_see_rebuild
-- Whether this role may look into the shadow of a rebuild; false when there is none.
SELECT coalesce(has_schema_privilege(to_regnamespace('replay_rebuild')::oid, 'USAGE'), FALSE);
