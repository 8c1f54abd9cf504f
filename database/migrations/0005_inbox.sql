-- What comes in from the payment processor, and how far the reactions have followed the log. Inputs, not folds: they
-- come back from backups.

-- Everything that was delivered with a good signature, exactly as it was delivered. The same bytes again only count up.
CREATE TABLE public.payment_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(body_sha256) = 32),
    body bytea NOT NULL,
    event text NOT NULL,
    reference text,
    received_at timestamptz NOT NULL,
    deliveries integer NOT NULL DEFAULT 1 CHECK (deliveries > 0),
    transaction_id uuid,
    processed_at timestamptz,
    outcome text CHECK (outcome IN ('applied', 'unmatched', 'ignored')),
    error text,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL
);
CREATE INDEX payment_events_unprocessed ON public.payment_events (next_attempt_at) WHERE processed_at IS NULL;
CREATE INDEX payment_events_transaction ON public.payment_events (transaction_id);
CREATE INDEX payment_events_reference ON public.payment_events (reference);

-- Deliveries whose signature was wrong: the hash and a counter, never the body. One row per minute at most, so that a
-- flood of forgeries fills nothing.
CREATE TABLE public.webhook_refusals (
    minute timestamptz PRIMARY KEY,
    refused bigint NOT NULL CHECK (refused > 0),
    last_body_sha256 bytea NOT NULL CHECK (octet_length(last_body_sha256) = 32)
);

-- Payment pages. The address is a bearer secret of the buyer: it stands here and not in the log, which has its hash.
CREATE TABLE public.payment_links (
    reference text PRIMARY KEY,
    transaction_id uuid NOT NULL,
    authorization_url text,
    requested_at timestamptz NOT NULL
);
CREATE INDEX payment_links_transaction ON public.payment_links (transaction_id);

CREATE TABLE public.reaction_checkpoints (
    name text PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0),
    updated_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON public.payment_events TO escrow_app;
GRANT SELECT, INSERT, UPDATE ON public.webhook_refusals TO escrow_app;
GRANT SELECT, INSERT, UPDATE ON public.payment_links TO escrow_app;
GRANT SELECT, INSERT, UPDATE ON public.reaction_checkpoints TO escrow_app;

-- The auditor sees what came when and what became of it, but not the payer's details in the body.
GRANT SELECT (
    id, body_sha256, event, reference, received_at, deliveries, transaction_id, processed_at, outcome, error, attempts,
    next_attempt_at
) ON public.payment_events TO escrow_auditor;
GRANT SELECT ON public.webhook_refusals TO escrow_auditor;
GRANT SELECT (reference, transaction_id, requested_at) ON public.payment_links TO escrow_auditor;
GRANT SELECT ON public.reaction_checkpoints TO escrow_auditor;
