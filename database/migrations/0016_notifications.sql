-- What people are to hear of: written together with its cause, sent by the worker, kept until it is known how it ended.
-- Neither an address nor a text stands here: the one is looked up and the other is written when the message is sent.
CREATE TABLE public.notification_queue (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    template text NOT NULL CHECK (template ~ '^[a-z_]{1,64}$'),
    facts jsonb NOT NULL CHECK (jsonb_typeof(facts) = 'object'),
    transaction_id uuid,
    event_version bigint,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    give_up_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    error text,
    outcome text,
    settled_at timestamptz,
    recorded_at timestamptz,
    CHECK ((outcome IS NULL) = (settled_at IS NULL)),
    CHECK ((transaction_id IS NULL) = (event_version IS NULL))
);
COMMENT ON COLUMN public.notification_queue.id IS 'the Message-ID: the same however often it is sent';
COMMENT ON COLUMN public.notification_queue.recorded_at IS 'when the log was told of the outcome';

CREATE INDEX notification_queue_due ON public.notification_queue (due_at, id) WHERE settled_at IS NULL;
CREATE INDEX notification_queue_unrecorded ON public.notification_queue (transaction_id, event_version, template)
WHERE recorded_at IS NULL AND transaction_id IS NOT NULL;
CREATE INDEX notification_queue_settled ON public.notification_queue (settled_at) WHERE settled_at IS NOT NULL;

-- Counted when they are settled, so that the counts outlive the rows.
CREATE TABLE public.notification_counts (
    channel text NOT NULL,
    outcome text NOT NULL,
    number bigint NOT NULL CHECK (number >= 0),
    PRIMARY KEY (channel, outcome)
);

REVOKE ALL ON TABLE public.notification_queue, public.notification_counts FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.notification_queue TO escrow_app;
GRANT SELECT, INSERT, UPDATE ON TABLE public.notification_counts TO escrow_app;
GRANT SELECT ON TABLE public.notification_queue, public.notification_counts TO escrow_auditor;

-- Messages that cannot be handed over are something that stands still, too.
ALTER TABLE public.standstills DROP CONSTRAINT standstills_kind_check;
ALTER TABLE public.standstills
ADD CONSTRAINT standstills_kind_check CHECK (kind IN ('restore', 'reconciliation', 'mail', 'sms'));
