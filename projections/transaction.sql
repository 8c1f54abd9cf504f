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

-- name: get
-- One transaction.
SELECT
    id,
    state,
    buyer_id,
    seller_id,
    listing_id,
    vault_id,
    currency,
    amount_minor,
    amount_usd,
    fee_minor,
    received_minor,
    held_minor,
    refunded_minor,
    charged_back_minor,
    created_at,
    updated_at,
    funds_held_at,
    contract_signed_at,
    credentials_released_at,
    completed_at,
    refunded_at,
    disputed_at,
    state_since,
    deadline_at,
    deadline_kind,
    stuck_reason,
    version,
    position
FROM transactions
WHERE id = %(id)s;

-- name: list
-- Transactions of a party, in some states, or stuck in theirs since before a moment; newest first.
SELECT
    id,
    state,
    buyer_id,
    seller_id,
    listing_id,
    vault_id,
    currency,
    amount_minor,
    amount_usd,
    fee_minor,
    received_minor,
    held_minor,
    refunded_minor,
    charged_back_minor,
    created_at,
    updated_at,
    funds_held_at,
    contract_signed_at,
    credentials_released_at,
    completed_at,
    refunded_at,
    disputed_at,
    state_since,
    deadline_at,
    deadline_kind,
    stuck_reason,
    version,
    position
FROM transactions
WHERE
    (%(party_id)s::uuid IS NULL OR buyer_id = %(party_id)s OR seller_id = %(party_id)s)
    AND (%(states)s::text [] IS NULL OR state = ANY(%(states)s))
    AND (
        %(stuck_before)s::timestamptz IS NULL
        OR state = 'payout_failed'
        OR (
            state IN ('funds_held', 'contract_signed', 'credentials_released', 'releasing', 'refunding', 'disputed')
            AND state_since < %(stuck_before)s
        )
    )
    AND (%(before_at)s::timestamptz IS NULL OR (created_at, id) < (%(before_at)s, %(before_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: count_by_state
-- How many transactions are in each state, and since when the oldest of them.
SELECT
    state,
    count(*) AS transactions,
    min(state_since) AS oldest_since
FROM transactions
GROUP BY state
ORDER BY state;
