-- name: append_events
-- Write a batch of commands, all or nothing each, and learn the outcome of each.
SELECT
    item,
    outcome,
    first_position,
    last_position,
    stream_id,
    stream_version
FROM public.append_events(
    %(items)b, %(stream_ids)b, %(versions)b, %(topics)b, %(states)b,
    %(read_items)b, %(read_stream_ids)b, %(read_versions)b,
    %(command_ids)b, %(request_digests)b, %(result_stream_ids)b, %(result_versions)b,
    %(answer_items)b, %(answers)b, %(answer_transaction_ids)b, %(answer_deposit_ids)b,
    %(answer_user_ids)b, %(answer_expire_at)b
);

-- name: force_a_commit_record
-- Make the transaction write something, so that its commit waits for every replica that an earlier one did not wait for.
SELECT pg_logical_emit_message(TRUE, 'escrow', '');

-- name: read_stream
-- The events of one stream between two versions and up to a position, oldest first.
SELECT
    notification_id,
    recorded_at,
    originator_id,
    originator_version,
    topic,
    state
FROM public.escrow_events
WHERE
    originator_id = %(stream_id)s
    AND originator_version > %(after_version)s
    AND originator_version <= %(to_version)s
    AND notification_id <= %(to_position)s
ORDER BY originator_version;

-- name: read_after
-- The next events of the whole log after a position.
SELECT
    notification_id,
    recorded_at,
    originator_id,
    originator_version,
    topic,
    state
FROM public.escrow_events
WHERE notification_id > %(after)s AND notification_id <= %(until)s
ORDER BY notification_id
LIMIT %(limit)s;

-- name: read_topics_after
-- The next events of some topics after a position.
SELECT
    notification_id,
    recorded_at,
    originator_id,
    originator_version,
    topic,
    state
FROM public.escrow_events
WHERE notification_id > %(after)s AND notification_id <= %(until)s AND topic = ANY(%(topics)s::text [])
ORDER BY notification_id
LIMIT %(limit)s;

-- name: get_head
-- The position of the newest event, 0 for an empty log.
SELECT coalesce(max(notification_id), 0) FROM public.escrow_events;

-- name: get_position_at
-- The position of the newest event recorded up to a moment, 0 if there is none: halving the log, because no append is
-- recorded before the one in front of it. A missing position is stood in for by its neighbour.
WITH RECURSIVE search AS (
    SELECT
        0::bigint AS lowest,
        coalesce(max(notification_id), 0) AS highest
    FROM public.escrow_events
    UNION ALL
    SELECT
        CASE WHEN tried.is_early THEN middle.position ELSE search.lowest END,
        CASE WHEN tried.is_early THEN search.highest ELSE middle.position - 1 END
    FROM search
    CROSS JOIN LATERAL (SELECT (search.lowest + search.highest + 1) / 2 AS position) AS middle
    LEFT JOIN LATERAL (
        SELECT near.recorded_at <= %(at)s AS is_early
        FROM public.escrow_events AS near
        WHERE near.notification_id <= middle.position
        ORDER BY near.notification_id DESC
        LIMIT 1
    ) AS tried ON TRUE
    WHERE search.lowest < search.highest
)
SELECT lowest FROM search WHERE lowest = highest;

-- name: find_command
-- How a command was answered the first time.
SELECT
    request_digest,
    last_position,
    stream_id,
    stream_version
FROM public.idempotency
WHERE command_id = %(command_id)s;

-- name: listen
-- Be woken by every append.
LISTEN escrow_events;

-- name: lock_appends
-- Let no append commit before this transaction ends: append_events takes the lock of this number.
SELECT pg_advisory_xact_lock(7310579);

-- name: forget_commands
-- First half of rebuilding the table of commands, as the owner.
DELETE FROM public.idempotency;

-- name: remember_commands
-- Second half: every event carries the digests of its command, and the answer is that of the first event's stream.
INSERT INTO public.idempotency (
    command_id, request_digest, first_position, last_position, stream_id, stream_version
)
SELECT
    decode(first.data ->> 'command_id', 'hex'),
    decode(first.data ->> 'request_digest', 'hex'),
    first.position,
    span.last_position,
    first.stream,
    (
        SELECT max(own.originator_version)
        FROM public.escrow_events AS own
        WHERE
            own.originator_id = first.stream
            AND own.notification_id BETWEEN span.first_position AND span.last_position
    )
FROM (
    SELECT
        data ->> 'command_id' AS command_id,
        min(position) AS first_position,
        max(position) AS last_position
    FROM public.event_log
    WHERE data ? 'command_id' AND data ? 'request_digest'
    GROUP BY data ->> 'command_id'
) AS span
INNER JOIN public.event_log AS first ON span.first_position = first.position;
