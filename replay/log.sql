-- name: read_by_position
-- The columns of the log in the order of positions, in the raw form that the leaf hash is computed from. What somebody
-- has made null is read as something that never was hashed.
SELECT
    coalesce(e.notification_id, 0) AS log_position,
    coalesce(uuid_send(e.originator_id), decode(repeat('00', 16), 'hex')) AS stream_id,
    coalesce(e.originator_version, 0) AS stream_version,
    coalesce(e.topic, '') AS topic,
    coalesce(timestamptz_send(e.recorded_at), decode(repeat('00', 8), 'hex')) AS recorded_at,
    coalesce(e.state, ''::bytea) AS state,
    coalesce(e.leaf_hash, ''::bytea) AS leaf_hash
FROM public.escrow_events AS e
ORDER BY e.notification_id;

-- name: read_by_stream
-- The events of the streams from one id to before another, stream by stream, in the order of versions.
SELECT
    coalesce(e.notification_id, 0) AS log_position,
    uuid_send(e.originator_id) AS stream_id,
    coalesce(e.originator_version, 0) AS stream_version,
    coalesce(e.topic, '') AS topic,
    coalesce(e.state, ''::bytea) AS state
FROM public.escrow_events AS e
WHERE e.originator_id >= %(first)s AND (%(before)s::uuid IS NULL OR e.originator_id < %(before)s)
ORDER BY e.originator_id, e.originator_version, e.notification_id;

-- name: read_commands
-- The idempotency table in the order of positions; what somebody has made null is no command's.
SELECT
    coalesce(i.command_id, ''::bytea) AS command_id,
    coalesce(i.request_digest, ''::bytea) AS request_digest,
    coalesce(i.first_position, 0) AS first_position,
    coalesce(i.last_position, 0) AS last_position,
    coalesce(i.stream_id, '00000000-0000-0000-0000-000000000000') AS stream_id,
    coalesce(i.stream_version, 0) AS stream_version
FROM public.idempotency AS i
ORDER BY i.first_position, i.command_id;

-- name: count_rows
-- How many events the table itself holds, whatever its indexes say (the caller switches them off).
SELECT count(*), coalesce(max(e.notification_id), 0) FROM public.escrow_events AS e;

-- name: read_table_only
-- The next statements read tables and trust no index.
SELECT
    set_config('enable_indexscan', 'off', TRUE),
    set_config('enable_indexonlyscan', 'off', TRUE),
    set_config('enable_bitmapscan', 'off', TRUE);

-- name: read_indexes_again
-- Undo the above.
SELECT
    set_config('enable_indexscan', 'on', TRUE),
    set_config('enable_indexonlyscan', 'on', TRUE),
    set_config('enable_bitmapscan', 'on', TRUE);

-- name: follow_index
-- The next statements read in the order of an index wherever there is one, so that a damaged one shows.
SELECT
    set_config('enable_seqscan', 'off', TRUE),
    set_config('enable_sort', 'off', TRUE),
    set_config('jit', 'off', TRUE);

-- name: look_up_each
-- The next statement looks every row of the outer table up by the index of the inner one.
SELECT
    set_config('enable_seqscan', 'on', TRUE),
    set_config('enable_hashjoin', 'off', TRUE),
    set_config('enable_mergejoin', 'off', TRUE),
    set_config('enable_bitmapscan', 'off', TRUE);

-- name: count_hidden_commands
-- Commands of the table that the index of their keys does not find, and the first position of the first of them.
WITH stored AS MATERIALIZED (
    SELECT
        i.command_id,
        i.first_position
    FROM public.idempotency AS i
)

SELECT
    count(*),
    min(stored.first_position)
FROM stored
WHERE NOT EXISTS (SELECT FROM public.idempotency AS k WHERE k.command_id = stored.command_id);

-- name: divide_streams
-- Stream ids that divide the log into parts of about equal size, from a sample of its pages.
SELECT percentile_disc(%(shares)s::float8 []) WITHIN GROUP (ORDER BY e.originator_id)
FROM public.escrow_events AS e TABLESAMPLE SYSTEM (%(per_cent)s);

-- name: export_snapshot
-- A name under which other sessions see exactly what this one sees.
SELECT pg_export_snapshot();

-- name: import_snapshot
-- See what the exporter sees.
SET TRANSACTION SNAPSHOT {snapshot}; -- noqa: PRS

-- name: count_blocks
-- How many blocks of 8 KiB the table has.
SELECT pg_relation_size('public.escrow_events') / current_setting('block_size')::bigint;

-- name: read_blocks
-- The positions in a range of blocks; an error when one of them cannot be read.
SELECT e.notification_id
FROM public.escrow_events AS e
WHERE e.ctid >= %(first)s::tid AND e.ctid < %(before)s::tid;
