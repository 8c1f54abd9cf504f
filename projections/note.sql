-- name: tables
-- What staff wrote about a transaction; added, never changed.
CREATE TABLE transaction_notes (
    position bigint PRIMARY KEY,
    transaction_id uuid NOT NULL,
    author_id text NOT NULL,
    author_role text NOT NULL,
    text text NOT NULL,
    created_at timestamptz NOT NULL
);

-- name: indexes
-- The notes of a transaction.
CREATE INDEX transaction_notes_transaction ON transaction_notes (transaction_id, position);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON transaction_notes TO escrow_app;
GRANT SELECT ON transaction_notes TO escrow_auditor;

-- name: list_of_transaction
-- The notes of a transaction, oldest first.
SELECT
    position,
    transaction_id,
    author_id,
    author_role,
    text,
    created_at
FROM transaction_notes
WHERE transaction_id = %(transaction_id)s AND position > %(after)s
ORDER BY position
LIMIT %(limit)s;
