-- name: tables
-- One row per dispute. What a party wrote stands in `contents` under `statement_id`; amounts are in minor units of the
-- transaction's currency.
CREATE TABLE disputes (
    dispute_id uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    source text NOT NULL,
    category text NOT NULL,
    state text NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    statement_id uuid,
    statement_sha256 text,
    processor_dispute_id text,
    amount_minor bigint NOT NULL,
    due_at timestamptz,
    escalated_at timestamptz,
    escalation_reason text,
    finding text,
    to_buyer_minor bigint,
    to_seller_minor bigint,
    platform_fee_minor bigint,
    compensation_minor bigint,
    reason text,
    decided_by text,
    decided_at timestamptz,
    answer text,
    answer_resolution text,
    answer_failure text,
    evidence_sha256 text,
    evidence_refs text,
    answer_ordered_at timestamptz,
    answered_at timestamptz,
    position bigint NOT NULL
);

-- name: indexes
-- The disputes of a transaction, and those that wait for a decision.
CREATE INDEX disputes_transaction ON disputes (transaction_id);
CREATE INDEX disputes_state ON disputes (state, opened_at, dispute_id);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON disputes TO escrow_app;
GRANT SELECT ON disputes TO escrow_auditor;

-- name: list_of_transaction
-- The disputes of a transaction, oldest first.
SELECT
    dispute_id,
    transaction_id,
    source,
    category,
    state,
    opened_by,
    opened_at,
    statement_id,
    statement_sha256,
    processor_dispute_id,
    amount_minor,
    due_at,
    escalated_at,
    escalation_reason,
    finding,
    to_buyer_minor,
    to_seller_minor,
    platform_fee_minor,
    compensation_minor,
    reason,
    decided_by,
    decided_at,
    answer,
    answer_resolution,
    answer_failure,
    evidence_sha256,
    evidence_refs,
    answer_ordered_at,
    answered_at,
    position
FROM disputes
WHERE transaction_id = %(transaction_id)s
ORDER BY opened_at, dispute_id;
