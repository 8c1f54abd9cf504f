-- Files that people send: what a file is called, and whose it is. Erasable, so it stands outside the log, which has the
-- hash. The bytes lie in the storage of files under owner and hash, as long as one row that is not erased names them.

CREATE TABLE public.stored_files (
    file_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES public.users (id),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    media_type text NOT NULL CHECK (octet_length(media_type) <= 64),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    name text CHECK (octet_length(name) BETWEEN 1 AND 1024),
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    CHECK ((erased_at IS NULL) = (name IS NOT NULL))
);
CREATE INDEX stored_files_owner ON public.stored_files (owner_id, sha256) WHERE erased_at IS NULL;
COMMENT ON TABLE public.stored_files IS 'files that people send; an input, not a fold: it comes back from backups';

REVOKE ALL ON TABLE public.stored_files FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, UPDATE (name, erased_at) ON TABLE public.stored_files TO escrow_app;

-- Auditors see that something was stored and its hash, not what it was called.
GRANT SELECT (
    file_id, owner_id, sha256, media_type, size_bytes, created_at, erased_at
) ON TABLE public.stored_files TO escrow_auditor;
