-- name: get_checkpoint
-- Up to which position the reactions have followed the log.
SELECT position
FROM reaction_checkpoints
WHERE name = %s;

-- name: save_checkpoint
-- Never backwards.
INSERT INTO reaction_checkpoints (name, position, updated_at)
VALUES (%(name)s, %(position)s, %(at)s)
ON CONFLICT (name) DO UPDATE
    SET
        position = greatest(reaction_checkpoints.position, excluded.position),
        updated_at = excluded.updated_at;

-- name: try_lead
-- Only one worker reacts at a time; the lock goes with its session.
SELECT pg_try_advisory_lock(hashtextextended('escrow reactions', 0));
