-- name: tables
-- What came of each run that held the books against the processor's: `counts` by kind of difference, `figures` by account;
-- `cut_position` is where the books stood. Amounts are in minor units of the currency.
CREATE TABLE reconciliations (
    id uuid PRIMARY KEY,
    position bigint NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    cut_position bigint NOT NULL,
    matched bigint NOT NULL,
    pending bigint NOT NULL,
    differences bigint NOT NULL,
    counts jsonb NOT NULL,
    figures jsonb NOT NULL,
    actor_id text NOT NULL,
    completed_at timestamptz NOT NULL
);

CREATE TABLE reconciliation_differences (
    reconciliation_id uuid NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    reference text NOT NULL,
    processor_id text,
    transaction_id uuid,
    currency text NOT NULL,
    ledger_minor bigint,
    processor_minor bigint,
    sentence text NOT NULL,
    command text NOT NULL,
    PRIMARY KEY (reconciliation_id, number)
);

-- name: indexes
-- The newest runs, and the differences about a transaction.
CREATE INDEX reconciliations_position ON reconciliations (position);
CREATE INDEX reconciliation_differences_transaction ON reconciliation_differences (transaction_id);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON reconciliations, reconciliation_differences TO escrow_app;
GRANT SELECT ON reconciliations, reconciliation_differences TO escrow_auditor;

-- name: get
-- One run.
SELECT
    id,
    position,
    since,
    until,
    cut_position,
    matched,
    pending,
    differences,
    counts,
    figures,
    actor_id,
    completed_at
FROM reconciliations
WHERE id = %(id)s;

-- name: list
-- Runs, newest first.
SELECT
    id,
    position,
    since,
    until,
    cut_position,
    matched,
    pending,
    differences,
    counts,
    figures,
    actor_id,
    completed_at
FROM reconciliations
WHERE %(before)s::bigint IS NULL OR position < %(before)s
ORDER BY position DESC
LIMIT %(limit)s;

-- name: list_differences
-- The differences that a run listed, in its order.
SELECT
    reconciliation_id,
    number,
    kind,
    subject,
    reference,
    processor_id,
    transaction_id,
    currency,
    ledger_minor,
    processor_minor,
    sentence,
    command
FROM reconciliation_differences
WHERE reconciliation_id = %(id)s
ORDER BY number;
