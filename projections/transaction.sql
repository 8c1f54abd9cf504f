-- name: tables
-- One row per transaction, derived from the aggregate itself. `state` is the phase in lower case; amounts are in minor
-- units of `currency`, but for `amount_usd`, which is for limits and reports and never moves money.
CREATE TABLE transactions (
    id uuid PRIMARY KEY,
    state text NOT NULL,
    buyer_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    listing_id uuid NOT NULL,
    vault_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 0 AND 1000000000000000),
    amount_usd numeric(18, 2) NOT NULL CHECK (amount_usd >= 0 AND amount_usd <> 'NaN'),
    fee_minor bigint NOT NULL,
    received_minor bigint NOT NULL,
    held_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    charged_back_minor bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    funds_held_at timestamptz,
    contract_signed_at timestamptz,
    credentials_released_at timestamptz,
    completed_at timestamptz,
    refunded_at timestamptz,
    disputed_at timestamptz,
    state_since timestamptz NOT NULL,
    deadline_at timestamptz,
    deadline_kind text,
    stuck_reason text,
    version bigint NOT NULL,
    position bigint NOT NULL
);

-- name: indexes
-- Lists are read newest first, by party or by state; deadlines and stuck money are looked for all day.
CREATE INDEX transactions_created ON transactions (created_at, id);
CREATE INDEX transactions_buyer ON transactions (buyer_id, created_at, id);
CREATE INDEX transactions_seller ON transactions (seller_id, created_at, id);
CREATE INDEX transactions_listing ON transactions (listing_id);
CREATE INDEX transactions_state ON transactions (state, created_at, id);
CREATE INDEX transactions_state_since ON transactions (state, state_since);
CREATE INDEX transactions_deadline ON transactions (deadline_at) WHERE deadline_at IS NOT NULL;

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON transactions TO escrow_app;
GRANT SELECT ON transactions TO escrow_auditor;
