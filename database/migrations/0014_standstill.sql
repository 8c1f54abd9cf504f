-- What stands still until something outside the log answers. Not a fold: that nothing happens is no event.

-- `restore`: reactions move no money until the processor was asked what the log has forgotten. `reconciliation`: the
-- nightly comparison is due and fails. One of each kind is open at most; `error` is the code of the last try.
CREATE TABLE public.standstills (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('restore', 'reconciliation')),
    reason text NOT NULL,
    noticed_at timestamptz NOT NULL,
    tried_at timestamptz,
    error text,
    resolved_at timestamptz
);
CREATE UNIQUE INDEX standstills_open ON public.standstills (kind) WHERE resolved_at IS NULL;

REVOKE ALL ON TABLE public.standstills FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE (tried_at, error, resolved_at) ON TABLE public.standstills TO escrow_app;
GRANT SELECT ON TABLE public.standstills TO escrow_auditor;
