-- name: tables
-- One row per deposit, with the transaction that it is sold in now.
CREATE TABLE credential_vaults (
    vault_id uuid PRIMARY KEY,
    listing_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    transaction_id uuid,
    ciphertext bytea NOT NULL,
    suite text NOT NULL,
    commitment_sha256 text NOT NULL,
    seller_key_fingerprint text NOT NULL,
    buyer_key_fingerprint text,
    sealed_at timestamptz NOT NULL,
    granted_at timestamptz,
    revealed_at timestamptz,
    revealed_to_user_id uuid,
    acknowledged_at timestamptz,
    destroyed_at timestamptz,
    lost_at timestamptz,
    position bigint NOT NULL
);

-- name: indexes
-- The runbook asks by listing, the vault by transaction.
CREATE INDEX credential_vaults_listing ON credential_vaults (listing_id);
CREATE INDEX credential_vaults_transaction ON credential_vaults (transaction_id);

-- name: grants
-- The worker writes; the auditor reads everything but the ciphertext.
GRANT SELECT, INSERT, UPDATE, DELETE ON credential_vaults TO escrow_app;
GRANT SELECT (
    vault_id,
    listing_id,
    seller_id,
    transaction_id,
    suite,
    commitment_sha256,
    seller_key_fingerprint,
    buyer_key_fingerprint,
    sealed_at,
    granted_at,
    revealed_at,
    revealed_to_user_id,
    acknowledged_at,
    destroyed_at,
    lost_at,
    position
) ON credential_vaults TO escrow_auditor;
