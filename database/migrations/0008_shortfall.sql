-- What waits because the balance at the payment processor does not cover it. Not a fold: the log says what is to be paid,
-- and nothing happened that it could record.

-- One row per payout or refund that ever waited; the list of alerts shows it.
CREATE TABLE public.balance_shortfalls (
    reference text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('payout', 'refund')),
    transaction_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    noticed_at timestamptz NOT NULL,
    resolved_at timestamptz
);

REVOKE ALL ON TABLE public.balance_shortfalls FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE (resolved_at) ON TABLE public.balance_shortfalls TO escrow_app;
GRANT SELECT ON TABLE public.balance_shortfalls TO escrow_auditor;
