-- name: list
-- Deliveries without their bodies, newest first; what has not been worked off is waiting, or failing once it has tried.
SELECT
    id,
    received_at,
    event,
    reference,
    outcome,
    deliveries,
    attempts,
    next_attempt_at,
    processed_at,
    transaction_id,
    error,
    encode(body_sha256, 'hex') AS body_sha256
FROM (
    SELECT
        id,
        received_at,
        event,
        reference,
        coalesce(outcome, CASE WHEN error IS NULL THEN 'waiting' ELSE 'failing' END) AS outcome,
        deliveries,
        attempts,
        next_attempt_at,
        processed_at,
        transaction_id,
        error,
        body_sha256
    FROM public.payment_events
) AS delivered
WHERE
    (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
    AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
    AND (%(id)s::bigint IS NULL OR id = %(id)s)
    AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: get_body
-- The bytes as they were delivered.
SELECT body
FROM public.payment_events
WHERE id = %(id)s;

-- name: erase_bodies
-- What came about the sales of somebody, and what belongs to no sale and has his address; the hash and the rest stay.
UPDATE public.payment_events AS kept
SET body = ''
WHERE
    kept.body <> ''
    AND (
        kept.transaction_id IN (
            SELECT t.id
            FROM public.transactions AS t
            WHERE %(user_id)s IN (t.buyer_id, t.seller_id)
        )
        OR (
            kept.transaction_id IS NULL
            AND EXISTS (
                SELECT
                FROM public.users AS u
                WHERE
                    u.id = %(user_id)s
                    AND strpos(
                        lower(encode(kept.body, 'escape')), encode(convert_to(lower(u.email), 'UTF8'), 'escape')
                    ) > 0
            )
        )
    );

-- name: put_back
-- Let these deliveries be worked off again.
UPDATE public.payment_events
SET
    processed_at = NULL,
    outcome = NULL,
    error = NULL,
    attempts = 0,
    next_attempt_at = %(at)s
WHERE id = ANY(%(ids)s)
RETURNING id;

-- name: list_refused
-- Deliveries whose signature was wrong, by minute, newest first.
SELECT
    minute,
    refused,
    encode(last_body_sha256, 'hex') AS last_body_sha256
FROM public.webhook_refusals
WHERE %(since)s::timestamptz IS NULL OR minute >= date_trunc('minute', %(since)s::timestamptz)
ORDER BY minute DESC
LIMIT %(limit)s;
