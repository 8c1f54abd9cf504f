-- name: tables
-- Every line of every journal, and the balance of every account. A debit is positive, a credit negative.
CREATE TABLE ledger_entries (
    position bigint NOT NULL,
    line smallint NOT NULL,
    account text NOT NULL,
    subject text NOT NULL,
    transaction_id uuid,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN -1000000000000000 AND 1000000000000000),
    topic text NOT NULL,
    timestamp timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (position, line)
);

CREATE TABLE ledger_accounts (
    account text NOT NULL,
    currency text NOT NULL,
    balance_minor bigint NOT NULL,
    entries bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (account, currency)
);

-- name: indexes
-- The entries of an account, and of a transaction, in the order of the log.
CREATE INDEX ledger_entries_account ON ledger_entries (account, currency, position, line);
CREATE INDEX ledger_entries_transaction ON ledger_entries (transaction_id, position, line);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_entries, ledger_accounts TO escrow_app;
GRANT SELECT ON ledger_entries, ledger_accounts TO escrow_auditor;

-- name: list_accounts
-- The accounts, in the order of their names.
SELECT
    account,
    currency,
    balance_minor,
    entries,
    position
FROM ledger_accounts
WHERE %(currency)s::text IS NULL OR currency = %(currency)s
ORDER BY currency, account;

-- name: list_accounts_as_of
-- The accounts as they were when the log ended at a position, summed from their lines.
SELECT
    account,
    currency,
    sum(amount_minor)::bigint AS balance_minor,
    count(*) AS entries,
    max(position) AS position
FROM ledger_entries
WHERE
    position <= %(as_of)s
    AND (%(currency)s::text IS NULL OR currency = %(currency)s)
GROUP BY account, currency
ORDER BY currency, account;

-- name: list_entries
-- The first or last entries of an account between two places, in the order of the log, with the balance after each.
WITH page AS (
    SELECT
        position,
        line,
        account,
        subject,
        transaction_id,
        currency,
        amount_minor,
        topic,
        timestamp,
        recorded_at
    FROM ledger_entries
    WHERE
        account = %(account)s
        AND (%(currency)s::text IS NULL OR currency = %(currency)s)
        AND (position, line) > (%(after_position)s, %(after_line)s)
        AND position <= %(as_of)s
    ORDER BY position {direction}, line {direction}
    LIMIT %(limit)s
),

before AS (
    SELECT
        currency,
        sum(amount_minor) AS balance_minor
    FROM ledger_entries
    WHERE
        account = %(account)s
        AND (%(currency)s::text IS NULL OR currency = %(currency)s)
        AND (position, line) < (SELECT page.position, page.line FROM page ORDER BY page.position, page.line LIMIT 1)
    GROUP BY currency
)

SELECT
    page.position,
    page.line,
    page.account,
    page.subject,
    page.transaction_id,
    page.currency,
    page.amount_minor,
    page.topic,
    page.timestamp,
    page.recorded_at,
    (
        coalesce(before.balance_minor, 0)
        + sum(page.amount_minor) OVER (PARTITION BY page.currency ORDER BY page.position, page.line)
    )::bigint AS balance_minor
FROM page
LEFT JOIN before ON page.currency = before.currency
ORDER BY page.position, page.line;
