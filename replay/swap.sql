-- name: drop_live
-- The table that served until now.
DROP TABLE IF EXISTS {table};

-- name: move
-- The table that serves from now on; its indexes, checks and grants go with it.
ALTER TABLE {table} SET SCHEMA {schema};

-- name: move_checkpoints
-- The live tables are as far as the shadow was. The fence keeps out a runner that remembers rows of the old tables.
INSERT INTO public.projection_checkpoints AS live (name, version, position, fence, updated_at)
SELECT
    shadow.name,
    shadow.version,
    shadow.position,
    extract(EPOCH FROM clock_timestamp())::bigint,
    clock_timestamp()
FROM {checkpoints} AS shadow
WHERE shadow.name = ANY({names})
ON CONFLICT (name) DO UPDATE
SET
    version = EXCLUDED.version,
    position = EXCLUDED.position,
    fence = live.fence + 1,
    updated_at = EXCLUDED.updated_at,
    error = NULL,
    error_position = NULL
RETURNING live.position;

-- name: forget_checkpoints
-- The shadow has no tables of these any more.
DELETE FROM {checkpoints} WHERE name = ANY({names});

-- name: list_shadow
-- How far the shadow is.
SELECT
    name,
    position
FROM {checkpoints};

-- name: read_balances
-- The balances of all accounts, as the ledger's tables have them.
SELECT
    currency,
    account,
    balance_minor
FROM {accounts}
WHERE balance_minor <> 0
ORDER BY currency, account;

-- name: analyze
-- The planner knows nothing of a table that was just filled.
ANALYZE {table};
