-- name: tables
-- One row per attempt to transfer money, named by the reference that the processor knows. `fee_minor` is empty until
-- the processor has told its fee.
CREATE TABLE payouts (
    reference text PRIMARY KEY,
    transaction_id uuid NOT NULL,
    purpose text NOT NULL,
    attempt integer NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    recipient text NOT NULL,
    status text NOT NULL,
    transfer_code text,
    fee_minor bigint,
    failure text,
    requested_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    waiting_since timestamptz,
    concluded_at timestamptz,
    position bigint NOT NULL
);

-- name: indexes
-- The payouts of a transaction, and those in a state, newest first.
CREATE INDEX payouts_transaction ON payouts (transaction_id);
CREATE INDEX payouts_status ON payouts (status, requested_at, reference);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON payouts TO escrow_app;
GRANT SELECT ON payouts TO escrow_auditor;

-- name: list_of_transaction
-- The payouts of a transaction, oldest first.
SELECT
    reference,
    transaction_id,
    purpose,
    attempt,
    currency,
    amount_minor,
    recipient,
    status,
    transfer_code,
    fee_minor,
    failure,
    requested_at,
    updated_at,
    waiting_since,
    concluded_at,
    position
FROM payouts
WHERE transaction_id = %(transaction_id)s
ORDER BY requested_at, reference;
