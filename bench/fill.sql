-- name: copy_events
-- Events into the log, with their positions and leaf hashes.
COPY escrow_events (
    originator_id, originator_version, topic, state, notification_id, recorded_at, leaf_hash
) FROM STDIN (FORMAT binary); -- noqa: PRS

-- name: copy_commands
-- What was answered, so that a repeat would be recognised.
COPY idempotency (
    command_id, request_digest, first_position, last_position, stream_id, stream_version
) FROM STDIN (FORMAT binary); -- noqa: PRS

-- name: tidy_up
-- Leave nothing for the server to do while it is measured.
VACUUM (FREEZE, ANALYZE) escrow_events, idempotency;
