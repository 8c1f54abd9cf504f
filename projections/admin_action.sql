-- name: tables
-- Every decision of staff, at the command line too, and every change of a role or a money setting, whoever made it.
-- `kind` is what `subject_id` is; `amount_minor` is in the transaction's currency where `currency` is empty.
CREATE TABLE admin_actions (
    position bigint PRIMARY KEY,
    action text NOT NULL,
    actor_id text NOT NULL,
    actor_role text NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    transaction_id uuid,
    amount_minor bigint,
    currency text,
    amount_usd numeric(18, 2) CHECK (amount_usd <> 'NaN'),
    reason text,
    dispute_id uuid,
    approval_id uuid,
    requested_by text,
    detail text,
    created_at timestamptz NOT NULL
);

-- name: indexes
-- What somebody did, and what was done about a transaction.
CREATE INDEX admin_actions_actor ON admin_actions (actor_id, position);
CREATE INDEX admin_actions_transaction ON admin_actions (transaction_id, position);
CREATE INDEX admin_actions_action ON admin_actions (action, position);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON admin_actions TO escrow_app;
GRANT SELECT ON admin_actions TO escrow_auditor;

-- name: list
-- What staff decided, newest first.
SELECT
    position,
    action,
    actor_id,
    actor_role,
    kind,
    subject_id,
    transaction_id,
    amount_minor,
    currency,
    amount_usd,
    reason,
    dispute_id,
    approval_id,
    requested_by,
    detail,
    created_at
FROM admin_actions
WHERE
    (%(transaction_id)s::uuid IS NULL OR transaction_id = %(transaction_id)s)
    AND (%(actor_id)s::text IS NULL OR actor_id = %(actor_id)s)
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(before)s::bigint IS NULL OR position < %(before)s)
ORDER BY position DESC
LIMIT %(limit)s;
