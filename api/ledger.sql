-- name: list_accounts_as_of
-- The accounts as they were when the log ended at a position, folded from their lines.
SELECT
    account,
    currency,
    sum(amount_minor)::bigint AS balance_minor,
    count(*) AS entries,
    max(position) AS position
FROM public.ledger_entries
WHERE position <= %(position)s
GROUP BY
    account,
    currency
ORDER BY
    currency,
    account;
