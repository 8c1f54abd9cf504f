-- What the reactions keep in mind. Folds of the log, but the reactions' own: no projection has to be caught up for money
-- to move. To fold them anew, empty both and delete the checkpoint `watch`; the worker begins at the first event then.

-- Where each transaction stands: polled while it is unfinished, woken when its deadline has passed.
CREATE TABLE public.watched_transactions (
    transaction_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    is_unfinished boolean NOT NULL,
    deadline_at timestamptz
);
CREATE INDEX watched_transactions_unfinished ON public.watched_transactions (transaction_id) WHERE is_unfinished;
CREATE INDEX watched_transactions_deadline ON public.watched_transactions (deadline_at) WHERE deadline_at IS NOT NULL;

-- Whose each reference of ours at the processor is, from the event on that was recorded before the processor heard of it,
-- and when the processor is asked about it by itself: pauses grow with its age, counted from `ask_from`.
CREATE TABLE public.watched_references (
    reference text PRIMARY KEY,
    transaction_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('charge', 'transfer')),
    ask_from timestamptz NOT NULL,
    ask_at timestamptz,
    asked integer NOT NULL DEFAULT 0,
    position bigint NOT NULL
);
CREATE INDEX watched_references_ask ON public.watched_references (ask_at) WHERE ask_at IS NOT NULL;

REVOKE ALL ON TABLE public.watched_transactions, public.watched_references FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON TABLE public.watched_transactions, public.watched_references TO escrow_app;
GRANT SELECT ON TABLE public.watched_transactions, public.watched_references TO escrow_auditor;
