-- Who verified, rebuilt or repaired what, and with what result. Not a fold: it says what people did to the folds.
CREATE TABLE public.replay_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('verify', 'diff', 'rebuild', 'repair', 'as_of')),
    actor text NOT NULL CHECK (actor <> ''),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    position bigint,
    findings bigint,
    outcome text NOT NULL DEFAULT 'running' CHECK (outcome IN ('running', 'clean', 'differs', 'done', 'failed')),
    detail text
);

CREATE INDEX replay_runs_kind ON public.replay_runs (kind, id);

REVOKE ALL ON TABLE public.replay_runs FROM PUBLIC;
GRANT SELECT ON TABLE public.replay_runs TO escrow_app, escrow_auditor;
