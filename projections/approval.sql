-- name: tables
-- One row per decision that waits, or waited, for a second super_admin; amounts in minor units of the transaction's
-- currency.
CREATE TABLE approvals (
    approval_id uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    action text NOT NULL,
    status text NOT NULL,
    amount_minor bigint NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    at_version bigint NOT NULL,
    purpose text,
    recipient text,
    dispute_id uuid,
    finding text,
    to_buyer_minor bigint,
    to_seller_minor bigint,
    compensation_minor bigint NOT NULL,
    decided_by text,
    decided_at timestamptz,
    decision_reason text,
    position bigint NOT NULL
);

-- name: indexes
-- The approvals of a transaction, and those that wait.
CREATE INDEX approvals_transaction ON approvals (transaction_id);
CREATE INDEX approvals_status ON approvals (status, requested_at, approval_id);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON approvals TO escrow_app;
GRANT SELECT ON approvals TO escrow_auditor;

-- name: get
-- One request for a second pair of eyes.
SELECT
    approval_id,
    transaction_id,
    action,
    status,
    amount_minor,
    reason,
    requested_by,
    requested_at,
    expires_at,
    at_version,
    purpose,
    recipient,
    dispute_id,
    finding,
    to_buyer_minor,
    to_seller_minor,
    compensation_minor,
    decided_by,
    decided_at,
    decision_reason,
    position
FROM approvals
WHERE approval_id = %(approval_id)s;

-- name: list
-- Approvals in a state, newest first.
SELECT
    approval_id,
    transaction_id,
    action,
    status,
    amount_minor,
    reason,
    requested_by,
    requested_at,
    expires_at,
    at_version,
    purpose,
    recipient,
    dispute_id,
    finding,
    to_buyer_minor,
    to_seller_minor,
    compensation_minor,
    decided_by,
    decided_at,
    decision_reason,
    position
FROM approvals
WHERE
    (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(before_at)s::timestamptz IS NULL OR (requested_at, approval_id) < (%(before_at)s, %(before_id)s::uuid))
ORDER BY requested_at DESC, approval_id DESC
LIMIT %(limit)s;
