-- name: lock
-- One migration run at a time in this database; released when the connection closes.
SELECT pg_advisory_lock(hashtextextended('escrow migrations', 0));

-- name: create_schema_migrations
-- What has been applied, with the hash of each file as it was then.
CREATE TABLE IF NOT EXISTS public.schema_migrations (
    name text PRIMARY KEY,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: has_schema_migrations
-- Whether this database has ever been migrated.
SELECT to_regclass('public.schema_migrations') IS NOT NULL;

-- name: list_applied
-- Every migration applied so far.
SELECT name, sha256
FROM public.schema_migrations
ORDER BY name;

-- name: limit_lock_waits
-- For the transaction of one migration.
SET LOCAL lock_timeout = '5s';

-- name: record
-- Remember the file just applied.
INSERT INTO public.schema_migrations (name, sha256)
VALUES (%s, %s);
