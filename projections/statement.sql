-- name: list_totals
-- What moved on every account that a statement covers, up to a position: before the period, in it, and at its end.
WITH lines AS ({lines})

SELECT
    account,
    currency,
    coalesce(sum(amount_minor) FILTER (WHERE position <= %(after)s), 0)::bigint AS opening_minor,
    coalesce(sum(amount_minor) FILTER (WHERE position > %(after)s AND amount_minor > 0), 0)::bigint AS debits_minor,
    coalesce(-sum(amount_minor) FILTER (WHERE position > %(after)s AND amount_minor < 0), 0)::bigint AS credits_minor,
    sum(amount_minor)::bigint AS closing_minor
FROM lines
GROUP BY account, currency
ORDER BY currency, account;

-- name: list_lines
-- A page of the lines of a statement, in the order of the log, with the balance of the line's account after each.
WITH lines AS ({lines}),

page AS (
    SELECT
        position,
        line,
        recorded_at,
        transaction_id,
        account,
        subject,
        topic,
        currency,
        amount_minor
    FROM lines
    WHERE (position, line) > (%(after)s, %(after_line)s)
    ORDER BY position, line
    LIMIT %(limit)s
),

before AS (
    SELECT
        account,
        currency,
        sum(amount_minor) AS balance_minor
    FROM lines
    WHERE (position, line) <= (%(after)s, %(after_line)s)
    GROUP BY account, currency
)

SELECT
    page.position,
    page.line,
    page.recorded_at,
    page.transaction_id,
    page.account,
    page.subject,
    page.topic,
    page.currency,
    CASE WHEN page.amount_minor > 0 THEN page.amount_minor ELSE 0 END AS debit_minor,
    CASE WHEN page.amount_minor < 0 THEN -page.amount_minor ELSE 0 END AS credit_minor,
    (
        coalesce(before.balance_minor, 0)
        + sum(page.amount_minor) OVER (PARTITION BY page.account, page.currency ORDER BY page.position, page.line)
    )::bigint AS balance_minor
FROM page
LEFT JOIN before ON page.account = before.account AND page.currency = before.currency
ORDER BY page.position, page.line;

-- name: lines
-- What a statement covers, up to a position: stands in the two above, so nothing ends it.
SELECT
    entry.position,
    entry.line,
    entry.recorded_at,
    entry.transaction_id,
    entry.account,
    entry.subject,
    entry.topic,
    entry.currency,
    entry.amount_minor
FROM transactions
INNER JOIN ledger_entries AS entry ON transactions.id = entry.transaction_id
LEFT JOIN payouts ON entry.account = %(in_flight)s AND entry.subject = payouts.reference
WHERE
    entry.position <= %(until)s
    AND (%(transaction_id)s::uuid IS NULL OR transactions.id = %(transaction_id)s)
    AND (
        %(user_id)s::uuid IS NULL
        OR (
            transactions.buyer_id = %(user_id)s
            AND (entry.account = ANY(%(buyer_accounts)s) OR payouts.purpose = ANY(%(buyer_purposes)s))
        )
        OR (
            transactions.seller_id = %(user_id)s
            AND (entry.account = ANY(%(seller_accounts)s) OR payouts.purpose = ANY(%(seller_purposes)s))
        )
    )
