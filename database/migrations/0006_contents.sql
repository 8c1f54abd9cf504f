-- What parties write, and who was refused the credentials. Erasable, so it stands outside the log.

-- Titles, descriptions, statements, typed names. The log has `sha256`, which is salted: the hash of a short text or a
-- name would otherwise give it away. Erasing a row empties `body` and `salt`; the hash stays and means nothing then.
CREATE TABLE public.contents (
    content_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES public.users (id),
    kind text NOT NULL CHECK (kind IN ('listing', 'statement', 'signature')),
    body jsonb,
    salt bytea CHECK (octet_length(salt) = 32),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    CHECK ((erased_at IS NULL) = (body IS NOT NULL) AND (body IS NULL) = (salt IS NULL))
);
CREATE INDEX contents_owner ON public.contents (owner_id);
COMMENT ON TABLE public.contents IS 'what parties write; an input, not a fold: it comes back from backups';

-- Attempts to see credentials that were refused: they change nothing, so they are not events.
CREATE TABLE public.refused_reveals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    transaction_id uuid NOT NULL,
    user_id uuid NOT NULL,
    code text NOT NULL,
    request_id text NOT NULL
);
CREATE INDEX refused_reveals_transaction ON public.refused_reveals (transaction_id);

REVOKE ALL ON TABLE public.contents, public.refused_reveals FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, UPDATE (body, salt, erased_at) ON TABLE public.contents TO escrow_app;
GRANT SELECT, INSERT ON TABLE public.refused_reveals TO escrow_app;

-- Auditors see that something was written and its hash, not what; and every refused attempt.
GRANT SELECT (content_id, owner_id, kind, sha256, created_at, erased_at) ON TABLE public.contents TO escrow_auditor;
GRANT SELECT ON TABLE public.refused_reveals TO escrow_auditor;
