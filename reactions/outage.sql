-- name: get_last_sign
-- When the worker was last known to be there.
SELECT updated_at
FROM reaction_checkpoints
WHERE name = 'alive';

-- name: give_sign
-- The worker is there.
INSERT INTO reaction_checkpoints (name, position, updated_at)
VALUES ('alive', 0, %(at)s)
ON CONFLICT (name) DO UPDATE
    SET
        updated_at = excluded.updated_at;
