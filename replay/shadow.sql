-- name: try_lock
-- Whoever works in a schema holds its lock for as long as his connection lives.
SELECT pg_try_advisory_lock(hashtextextended('escrow replay ' || %s::text, 0));

-- name: lock
-- The same, waiting for as long as the session's lock_timeout allows.
SELECT pg_advisory_lock(hashtextextended('escrow replay ' || %s::text, 0));

-- name: unlock
-- Let go.
SELECT pg_advisory_unlock(hashtextextended('escrow replay ' || %s::text, 0));

-- name: wait_for_locks
-- How long a statement waits for a lock.
SELECT set_config('lock_timeout', %s, FALSE);

-- name: list_verifications
-- The schemas of verifications; those that nobody holds were left behind by a crash.
SELECT n.nspname
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname ~ '^replay_verify_[0-9]+$'
ORDER BY n.nspname;

-- name: exists
-- Whether there is a schema of this name, and what is said about it.
SELECT obj_description(n.oid, 'pg_namespace')
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname = %s;

-- name: create
-- A schema of our own.
CREATE SCHEMA {schema};

-- name: describe
-- What it is for.
COMMENT ON SCHEMA {schema} IS {words};

-- name: drop
-- With all that is in it.
DROP SCHEMA IF EXISTS {schema} CASCADE;

-- name: open
-- Let a role look into it.
GRANT USAGE ON SCHEMA {schema} TO {role};

-- name: spare_the_log
-- A table that nobody needs after a crash is not written to PostgreSQL's own log.
ALTER TABLE {table} SET UNLOGGED;
