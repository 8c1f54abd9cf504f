-- name: tables
-- Payments that the processor has and a restored log did not know: while one is open, nothing is sent for its
-- transaction. Amounts are in minor units of the currency.
CREATE TABLE external_payments (
    id uuid PRIMARY KEY,
    position bigint NOT NULL,
    kind text NOT NULL,
    reference text NOT NULL,
    processor_id text,
    transaction_id uuid,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    status text NOT NULL,
    discovered_at timestamptz NOT NULL,
    settled_at timestamptz,
    settled_by text,
    reason text
);

-- name: indexes
-- What holds a transaction back, and what a reference stands for.
CREATE INDEX external_payments_transaction ON external_payments (transaction_id) WHERE settled_at IS NULL;
CREATE INDEX external_payments_reference ON external_payments (reference);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON external_payments TO escrow_app;
GRANT SELECT ON external_payments TO escrow_auditor;

-- name: list_open
-- What holds a transaction back.
SELECT
    id,
    position,
    kind,
    reference,
    processor_id,
    transaction_id,
    currency,
    amount_minor,
    status,
    discovered_at,
    settled_at,
    settled_by,
    reason
FROM external_payments
WHERE
    transaction_id = %(transaction_id)s
    AND settled_at IS NULL
ORDER BY position;

-- name: find
-- What is open under a reference of ours, or an id of the processor's.
SELECT
    id,
    position,
    kind,
    reference,
    processor_id,
    transaction_id,
    currency,
    amount_minor,
    status,
    discovered_at,
    settled_at,
    settled_by,
    reason
FROM external_payments
WHERE
    (reference = %(name)s OR processor_id = %(name)s)
    AND settled_at IS NULL
ORDER BY position
LIMIT 1;
