-- name: list_transactions
-- Newest first; stuck means that money is held, or on its way, and nothing has moved for more than seven days.
SELECT
    id,
    state,
    currency,
    amount_minor,
    held_minor,
    created_at,
    state_since,
    deadline_at,
    stuck_reason
FROM transactions
WHERE
    (%(state)s::text IS NULL OR state = %(state)s)
    AND (
        NOT %(stuck)s
        OR (
            state IN ('funds_held', 'contract_signed', 'releasing', 'refunding', 'payout_failed')
            AND state_since < %(now)s::timestamptz - interval '7 days'
        )
    )
ORDER BY
    created_at DESC,
    id DESC
LIMIT %(limit)s;

-- name: get_transaction
-- Everything that the table knows of one.
SELECT * -- noqa: AM04
FROM transactions
WHERE id = %(id)s;

-- name: list_payouts
-- The attempts to pay for a transaction.
SELECT * -- noqa: AM04
FROM payouts
WHERE transaction_id = %(id)s
ORDER BY reference;

-- name: list_refunds
-- The refunds of a transaction.
SELECT * -- noqa: AM04
FROM refunds
WHERE transaction_id = %(id)s
ORDER BY reference;

-- name: list_disputes
-- The disputes about a transaction.
SELECT * -- noqa: AM04
FROM disputes
WHERE transaction_id = %(id)s
ORDER BY dispute_id;

-- name: list_notes
-- What staff wrote about it.
SELECT * -- noqa: AM04
FROM transaction_notes
WHERE transaction_id = %(id)s
ORDER BY position;

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
