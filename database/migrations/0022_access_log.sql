-- Who read or revealed what, when and from where, for the security officer. Not in the event log: it names addresses.

-- What repeats within an hour is one row that counts, so that a flood cannot fill the disk; `bucket` is a hash of what
-- makes rows the same. `user_id` is who it was, or, where nobody signed in, whose account was tried.
CREATE TABLE public.access_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket bytea NOT NULL UNIQUE CHECK (octet_length(bucket) = 32),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times bigint NOT NULL CHECK (times > 0),
    action text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('granted', 'refused', 'failed', 'rehearsed')),
    reason text,
    user_id uuid,
    role text,
    object_id uuid,
    request_id text NOT NULL,
    address text,
    user_agent text
);
CREATE INDEX access_log_user ON public.access_log (user_id, id);
CREATE INDEX access_log_object ON public.access_log (object_id, id);
CREATE INDEX access_log_last_at ON public.access_log (last_at);
COMMENT ON TABLE public.access_log IS 'who read or revealed what; an input, not a fold: it comes back from backups';

-- Attempts that nobody makes by accident. An alert of the log cannot tell of them: what was refused is no event.
CREATE TABLE public.security_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('second_reveal', 'foreign_reveal')),
    transaction_id uuid NOT NULL,
    user_id uuid NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times bigint NOT NULL CHECK (times > 0),
    UNIQUE (kind, transaction_id, user_id)
);
COMMENT ON TABLE public.security_alerts IS 'attempts to see credentials that nobody makes by accident';

REVOKE ALL ON TABLE public.access_log, public.security_alerts FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.access_log TO escrow_app;
GRANT SELECT, INSERT, UPDATE ON TABLE public.security_alerts TO escrow_app;

-- Auditors see who did what, not from where.
GRANT SELECT (
    id, first_at, last_at, times, action, outcome, reason, user_id, role, object_id, request_id
) ON TABLE public.access_log TO escrow_auditor;
GRANT SELECT ON TABLE public.security_alerts TO escrow_auditor;
