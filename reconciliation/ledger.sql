-- name: get_folded
-- Up to which position the ledger tables hold the log.
SELECT position
FROM projection_checkpoints
WHERE name = 'ledger';

-- name: sum_accounts
-- The accounts that the processor keeps too, as they stood at a position.
SELECT
    account,
    currency,
    sum(amount_minor)::bigint AS balance_minor
FROM ledger_entries
WHERE
    account = ANY(%(accounts)s)
    AND position <= %(position)s
GROUP BY account, currency;

-- name: find_pages
-- Under which of these references a payment page was opened.
SELECT reference
FROM payment_links
WHERE reference = ANY(%(references)s);

-- name: try_lead
-- Only one process reconciles by itself; the lock goes with its session.
SELECT pg_try_advisory_lock(hashtextextended('escrow reconciliation', 0));
