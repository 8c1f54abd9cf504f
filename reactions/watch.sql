-- name: keep_transactions
-- Where transactions stand; what is older than what is known changes nothing.
INSERT INTO watched_transactions (
    transaction_id, version, is_unfinished, deadline_at, debtor_id, debt_currency, owing_since
)
SELECT
    transaction_id,
    version,
    is_unfinished,
    deadline_at,
    debtor_id,
    debt_currency,
    owing_since
FROM
    unnest(
        %(transaction_id)s::uuid [], %(version)s::bigint [], %(is_unfinished)s::boolean [],
        %(deadline_at)s::timestamptz [], %(debtor_id)s::uuid [], %(debt_currency)s::text [],
        %(owing_since)s::timestamptz []
    ) AS watched (transaction_id, version, is_unfinished, deadline_at, debtor_id, debt_currency, owing_since)
ON CONFLICT (transaction_id) DO UPDATE
    SET
        version = excluded.version,
        is_unfinished = excluded.is_unfinished,
        deadline_at = excluded.deadline_at,
        debtor_id = excluded.debtor_id,
        debt_currency = excluded.debt_currency,
        owing_since = excluded.owing_since
    WHERE watched_transactions.version <= excluded.version;

-- name: keep_unreadable
-- Nobody knows where these stand: none of them is taken for over, whatever was known.
INSERT INTO watched_transactions (transaction_id, version, is_unfinished)
SELECT
    transaction_id,
    0,
    true
FROM unnest(%(transaction_ids)s::uuid []) AS unreadable (transaction_id)
ON CONFLICT (transaction_id) DO UPDATE
    SET is_unfinished = true;

-- name: keep_references
-- What the log says of references; what is older than what is known changes nothing.
INSERT INTO watched_references (reference, transaction_id, kind, ask_from, ask_at, position)
SELECT
    reference,
    transaction_id,
    kind,
    ask_from,
    ask_at,
    position
FROM
    unnest(
        %(reference)s::text [], %(transaction_id)s::uuid [], %(kind)s::text [], %(ask_from)s::timestamptz [],
        %(ask_at)s::timestamptz [], %(position)s::bigint []
    ) AS named (reference, transaction_id, kind, ask_from, ask_at, position)
ON CONFLICT (reference) DO UPDATE
    SET
        ask_from = excluded.ask_from,
        ask_at = excluded.ask_at,
        position = excluded.position
    WHERE watched_references.position < excluded.position;

-- name: list_questions
-- What the processor is to be asked about, the most overdue first.
SELECT
    reference,
    transaction_id,
    kind,
    ask_from
FROM watched_references
WHERE ask_at <= %(at)s
ORDER BY
    ask_at,
    reference
LIMIT %(limit)s;

-- name: ask_again_at
-- It was asked, and will be again, or never; unless the log has said something newer of it meanwhile.
UPDATE watched_references
SET
    ask_at = %(at)s,
    asked = asked + 1
WHERE reference = %(reference)s AND ask_from = %(ask_from)s;

-- name: find
-- Whose these references are; in an order that does not depend on which row was written last.
SELECT
    reference,
    transaction_id
FROM watched_references
WHERE reference = ANY(%(references)s::text [])
ORDER BY reference;

-- name: list_due
-- Transactions whose deadline has passed.
SELECT transaction_id
FROM watched_transactions
WHERE deadline_at <= %(at)s
ORDER BY
    deadline_at,
    transaction_id
LIMIT 256;

-- name: list_unfinished
-- Transactions that are not over, in pages by id.
SELECT transaction_id
FROM watched_transactions
WHERE
    is_unfinished
    AND transaction_id > %(after)s
ORDER BY transaction_id
LIMIT 256;
