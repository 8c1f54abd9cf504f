-- name: get_state
-- The name of the log (the hash of its first event), its head, the hash at a marked position, and what tells of a restore.
SELECT
    (SELECT encode(leaf_hash, 'hex') FROM escrow_events WHERE notification_id = 1) AS log,
    coalesce(head.notification_id, 0) AS position,
    encode(head.leaf_hash, 'hex') AS leaf,
    head.recorded_at,
    (
        SELECT encode(leaf_hash, 'hex') FROM escrow_events
        WHERE notification_id = %(marked)s
    ) AS leaf_at_mark,
    EXISTS (
        SELECT FROM reaction_checkpoints
        WHERE name = 'reactions'
    ) AS has_reacted,
    (
        SELECT reason FROM standstills
        WHERE kind = 'restore' AND resolved_at IS NULL
    ) AS ordered
FROM (SELECT 1) AS always
LEFT JOIN LATERAL (
    SELECT
        notification_id,
        leaf_hash,
        recorded_at
    FROM escrow_events
    ORDER BY notification_id DESC
    LIMIT 1
) AS head ON TRUE;
