-- name: count_range
-- How many events there are in a range of positions.
SELECT count(*) FROM public.escrow_events
WHERE notification_id > %(after)s AND notification_id <= %(until)s;

-- name: read_range
-- The events of some topics in a range of positions, and those of topics that this program does not know.
SELECT
    notification_id,
    recorded_at,
    originator_id,
    originator_version,
    topic,
    state
FROM public.escrow_events
WHERE
    notification_id > %(after)s
    AND notification_id <= %(until)s
    AND (topic = ANY(%(topics)s::text []) OR topic <> ALL(%(known)s::text []))
ORDER BY notification_id;

-- name: read_streams
-- The events of some streams up to a position, each stream in order.
SELECT
    notification_id,
    recorded_at,
    originator_id,
    originator_version,
    topic,
    state
FROM public.escrow_events
WHERE originator_id = ANY(%(stream_ids)s) AND notification_id <= %(until)s
ORDER BY originator_id, originator_version;
