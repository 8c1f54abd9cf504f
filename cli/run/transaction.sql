-- name: list_events
-- The log as people read it.
SELECT
    position,
    recorded_at,
    stream,
    version,
    type,
    actor,
    data
FROM event_log
WHERE
    position > %(after)s
    AND (%(stream)s::uuid IS NULL OR stream = %(stream)s)
ORDER BY position
LIMIT %(limit)s;

-- name: list_newest_events
-- The end of the log, newest first.
SELECT
    position,
    recorded_at,
    stream,
    version,
    type,
    actor,
    data
FROM event_log
WHERE %(stream)s::uuid IS NULL OR stream = %(stream)s
ORDER BY position DESC
LIMIT %(limit)s;
