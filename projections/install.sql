-- name: lock
-- One installer at a time.
SELECT pg_advisory_xact_lock(7310580);

-- name: list_installed
-- Which projections have tables here, and of which version.
SELECT
    name,
    version
FROM projection_checkpoints;

-- name: register
-- A projection whose tables are empty.
INSERT INTO projection_checkpoints (name, version) VALUES (%s, %s);

-- name: unregister
-- A projection whose tables are gone.
DELETE FROM projection_checkpoints WHERE name = %s;

-- name: drop_table
-- Rows are folds of the log: nothing is lost that cannot be folded again.
DROP TABLE IF EXISTS {table};
