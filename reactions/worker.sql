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

-- name: list_due
-- Transactions whose deadline has passed.
SELECT id
FROM transactions
WHERE deadline_at <= %s
ORDER BY
    deadline_at,
    id
LIMIT 256;

-- name: list_unfinished
-- Transactions that are not over, in pages by id.
SELECT id
FROM transactions
WHERE
    stuck_reason IS NOT NULL
    AND id > %(after)s
ORDER BY id
LIMIT 256;

-- name: try_lead
-- Only one worker reacts at a time; the lock goes with its session.
SELECT pg_try_advisory_lock(hashtextextended('escrow reactions', 0));
