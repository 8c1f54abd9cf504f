-- name: get
-- Up to which position of the log this reader has done its work, and when it last did some.
SELECT position, updated_at
FROM reaction_checkpoints
WHERE name = %s;

-- name: save
-- Never backwards.
INSERT INTO reaction_checkpoints (name, position, updated_at)
VALUES (%(name)s, %(position)s, %(at)s)
ON CONFLICT (name) DO UPDATE
    SET
        position = greatest(reaction_checkpoints.position, excluded.position),
        updated_at = excluded.updated_at;

-- name: save_unless_since
-- Only where it was not done after `since`; of two who ask at the same moment one gets a row.
INSERT INTO reaction_checkpoints (name, position, updated_at)
VALUES (%(name)s, 0, %(at)s)
ON CONFLICT (name) DO UPDATE
    SET updated_at = excluded.updated_at
    WHERE reaction_checkpoints.updated_at <= %(since)s
RETURNING updated_at;

-- name: forget_time
-- As if it had never been done, unless it was begun anew since.
UPDATE reaction_checkpoints
SET updated_at = 'epoch'
WHERE
    name = %(name)s
    AND updated_at = %(at)s;
