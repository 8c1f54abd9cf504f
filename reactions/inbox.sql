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

-- name: conclude
-- What became of a delivery.
UPDATE payment_events
SET
    processed_at = %(at)s,
    outcome = %(outcome)s,
    transaction_id = %(transaction_id)s,
    error = NULL
WHERE id = %(id)s;

-- name: postpone
-- A delivery that could not be worked off yet.
UPDATE payment_events
SET
    attempts = attempts + 1,
    error = %(error)s,
    next_attempt_at = %(next_attempt_at)s
WHERE id = %(id)s;

-- name: find_payout
-- Which transaction a transfer belongs to.
SELECT transaction_id
FROM payouts
WHERE reference = %s;
