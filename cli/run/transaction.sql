-- name: list_events
-- The log as people read it, of one stream or of all: from a position on, or from its end back.
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
ORDER BY position {direction}
LIMIT %(limit)s;
