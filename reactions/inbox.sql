-- name: keep_event
-- A delivery with a good signature; the same bytes again only count up.
INSERT INTO payment_events (body_sha256, body, event, reference, received_at, next_attempt_at)
VALUES (%(body_sha256)s, %(body)s, %(event)s, %(reference)s, %(at)s, %(at)s)
ON CONFLICT (body_sha256) DO UPDATE SET deliveries = payment_events.deliveries + 1;

-- name: count_refusals
-- Deliveries with a wrong signature.
INSERT INTO webhook_refusals (minute, refused, last_body_sha256)
VALUES (date_trunc('minute', %(at)s::timestamptz), %(refused)s, %(body_sha256)s)
ON CONFLICT (minute) DO UPDATE
    SET
        refused = webhook_refusals.refused + excluded.refused,
        last_body_sha256 = excluded.last_body_sha256;

-- name: list_waiting
-- What has not been worked off, is due, and is in nobody's hands, oldest first.
SELECT
    id,
    event,
    reference,
    attempts,
    body_sha256,
    received_at
FROM payment_events
WHERE
    processed_at IS NULL
    AND next_attempt_at <= %(at)s
    AND id <> ALL(%(in_hand)s::bigint [])
ORDER BY id
LIMIT %(limit)s;

-- name: list_on_record
-- Which of these deliveries stand in the log.
SELECT originator_id
FROM escrow_events
WHERE originator_id = ANY(%(stream_ids)s::uuid []) AND originator_version = 1;

-- name: conclude
-- What became of deliveries.
UPDATE payment_events AS kept
SET
    processed_at = %(at)s,
    outcome = concluded.outcome,
    transaction_id = concluded.transaction_id,
    error = NULL
FROM
    unnest(%(ids)s::bigint [], %(outcomes)s::text [], %(transaction_ids)s::uuid [])
        AS concluded (id, outcome, transaction_id)
WHERE kept.id = concluded.id;

-- name: postpone
-- Deliveries that could not be worked off yet.
UPDATE payment_events AS kept
SET
    attempts = kept.attempts + 1,
    error = postponed.error,
    next_attempt_at = postponed.next_attempt_at
FROM
    unnest(%(ids)s::bigint [], %(errors)s::text [], %(next_attempts_at)s::timestamptz [])
        AS postponed (id, error, next_attempt_at)
WHERE kept.id = postponed.id;
