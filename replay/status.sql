-- name: get_head
-- The position of the newest event, 0 for an empty log.
SELECT coalesce(max(notification_id), 0) FROM public.escrow_events;

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
