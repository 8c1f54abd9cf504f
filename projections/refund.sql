-- name: tables
-- One row per order to give money back to whoever paid it.
CREATE TABLE refunds (
    reference text PRIMARY KEY,
    transaction_id uuid NOT NULL,
    charge_reference text NOT NULL,
    basis text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    status text NOT NULL,
    processor_refund_id text,
    source text,
    failure text,
    ordered_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    waiting_since timestamptz,
    concluded_at timestamptz,
    position bigint NOT NULL
);

-- name: indexes
-- The refunds of a transaction, and those in a state, newest first.
CREATE INDEX refunds_transaction ON refunds (transaction_id);
CREATE INDEX refunds_status ON refunds (status, ordered_at, reference);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON refunds TO escrow_app;
GRANT SELECT ON refunds TO escrow_auditor;

-- name: list_of_transaction
-- The refunds of a transaction, oldest first.
SELECT
    reference,
    transaction_id,
    charge_reference,
    basis,
    currency,
    amount_minor,
    status,
    processor_refund_id,
    source,
    failure,
    ordered_at,
    updated_at,
    waiting_since,
    concluded_at,
    position
FROM refunds
WHERE transaction_id = %(transaction_id)s
ORDER BY ordered_at, reference;

-- name: list
-- Refunds in a state, newest first.
SELECT
    reference,
    transaction_id,
    charge_reference,
    basis,
    currency,
    amount_minor,
    status,
    processor_refund_id,
    source,
    failure,
    ordered_at,
    updated_at,
    waiting_since,
    concluded_at,
    position
FROM refunds
WHERE
    (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(before_at)s::timestamptz IS NULL OR (ordered_at, reference) < (%(before_at)s, %(before_reference)s::text))
ORDER BY ordered_at DESC, reference DESC
LIMIT %(limit)s;
