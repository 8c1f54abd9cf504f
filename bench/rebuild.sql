-- name: copy_out
-- Every event with all its columns, sent to a client in the order of the log.
COPY (
    SELECT
        originator_id,
        originator_version,
        topic,
        state,
        notification_id,
        recorded_at,
        leaf_hash
    FROM escrow_events
    ORDER BY notification_id
) TO STDOUT (FORMAT binary); -- noqa: PRS

-- name: find_position
-- How far the read model is that is behind all others.
SELECT min(position)
FROM projection_checkpoints;
