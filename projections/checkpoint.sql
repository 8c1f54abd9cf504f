-- name: tables
-- How far each projection is, in the schema that its tables stand in. `fence` is raised by whoever takes over: a runner
-- that still holds an older one cannot write any more. `error` says why it stopped, at `error_position`.
CREATE TABLE IF NOT EXISTS projection_checkpoints (
    name text PRIMARY KEY,
    version integer NOT NULL,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    fence bigint NOT NULL DEFAULT 0,
    updated_at timestamptz,
    error text,
    error_position bigint
);

-- name: failures
-- Every time that a projection stopped at an event that it cannot fold: an input of the list of alerts, not a fold.
CREATE TABLE IF NOT EXISTS projection_failures (
    name text NOT NULL,
    position bigint NOT NULL,
    error text NOT NULL,
    failed_at timestamptz NOT NULL,
    resolved_at timestamptz,
    PRIMARY KEY (name, position, failed_at)
);
GRANT SELECT, INSERT, UPDATE (resolved_at) ON projection_failures TO escrow_app;
GRANT SELECT ON projection_failures TO escrow_auditor;

-- name: grants
-- The worker moves checkpoints; everybody may see them.
GRANT SELECT, UPDATE ON projection_checkpoints TO escrow_app;
GRANT SELECT ON projection_checkpoints TO escrow_auditor;

-- name: enter_schema
-- From here to the end of the transaction, names mean tables of this schema, times are UTC, and the commit is not
-- waited for: rows and checkpoint are lost together or not at all, and can be folded again.
SELECT
    set_config('search_path', quote_ident(%s), TRUE),
    set_config('timezone', 'UTC', TRUE),
    set_config('synchronous_commit', 'off', TRUE),
    set_config('jit', 'off', TRUE);

-- name: lock
-- How far these projections are; nobody else moves them before this transaction ends.
SELECT
    name,
    position,
    fence,
    version
FROM projection_checkpoints
WHERE name = ANY(%s)
ORDER BY name
FOR UPDATE;

-- name: advance
-- The rows of everything up to this position are written.
UPDATE projection_checkpoints
SET position = %(position)s, updated_at = clock_timestamp(), error = NULL, error_position = NULL
WHERE name = ANY(%(names)s) AND position <= %(position)s;

-- name: take_over
-- Keep every runner out that came before.
UPDATE projection_checkpoints
SET fence = fence + 1
WHERE name = ANY(%s)
RETURNING name, fence;

-- name: record_error
-- A projection stopped at an event that it cannot fold; said once, however often it tries again.
WITH stopped AS (
    UPDATE projection_checkpoints
    SET error = %(error)s, error_position = %(position)s, updated_at = clock_timestamp()
    WHERE name = %(name)s AND fence = %(fence)s
    RETURNING name
)

INSERT INTO projection_failures (name, position, error, failed_at)
SELECT
    stopped.name,
    %(position)s,
    %(error)s,
    clock_timestamp()
FROM stopped
WHERE NOT EXISTS (
    SELECT FROM projection_failures AS known
    WHERE known.name = stopped.name AND known.position = %(position)s AND known.resolved_at IS NULL
);

-- name: resolve_errors
-- A stop is over once its projection has the event in its tables, whoever put it there. Live tables only.
UPDATE public.projection_failures AS stop
SET resolved_at = clock_timestamp()
FROM public.projection_checkpoints AS reached
WHERE
    stop.name = ANY(%s)
    AND stop.resolved_at IS NULL
    AND stop.name = reached.name
    AND stop.position <= reached.position;
