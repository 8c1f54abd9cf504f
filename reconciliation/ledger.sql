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
