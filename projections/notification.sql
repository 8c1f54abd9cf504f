-- name: tables
-- Who was told what, or could not be; one row per person. Addresses are not here: people appear by id.
CREATE TABLE notifications (
    position bigint NOT NULL,
    user_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    template text NOT NULL,
    channel text NOT NULL,
    outcome text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (position, user_id)
);

-- name: indexes
-- What a person was told, and what was told about a transaction.
CREATE INDEX notifications_user ON notifications (user_id, position);
CREATE INDEX notifications_transaction ON notifications (transaction_id, position);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications TO escrow_app;
GRANT SELECT ON notifications TO escrow_auditor;
