-- name: tables
-- One row per contract. A name digest is the salted SHA-256 of the name that a party typed.
CREATE TABLE contracts (
    contract_id uuid PRIMARY KEY,
    transaction_id uuid NOT NULL,
    content_sha256 text NOT NULL,
    template_version text NOT NULL,
    buyer_key_fingerprint text NOT NULL,
    seller_key_fingerprint text NOT NULL,
    generated_at timestamptz NOT NULL,
    buyer_signed_at timestamptz,
    seller_signed_at timestamptz,
    buyer_name_digest text,
    seller_name_digest text,
    position bigint NOT NULL
);

-- name: indexes
-- The contract of a transaction.
CREATE INDEX contracts_transaction ON contracts (transaction_id);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON contracts TO escrow_app;
GRANT SELECT ON contracts TO escrow_auditor;
