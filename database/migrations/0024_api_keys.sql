-- Keys for programs, and a role for those who watch at night.

-- A key is kept as SHA-256 of 32 random bytes, as tokens are: the table lets nobody in.
CREATE TABLE public.api_keys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES public.users (id),
    key_hash bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    ends_in text NOT NULL CHECK (octet_length(ends_in) = 4),
    name text NOT NULL CHECK (octet_length(name) <= 800),
    scopes text [] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON COLUMN public.api_keys.last_used_at IS 'to ten minutes: not every request writes';
CREATE INDEX api_keys_user ON public.api_keys (user_id, created_at) WHERE revoked_at IS NULL;

REVOKE ALL ON TABLE public.api_keys FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, DELETE, UPDATE (last_used_at, revoked_at) ON TABLE public.api_keys TO escrow_app;

-- Operators read what staff read and decide nothing.
ALTER TABLE public.user_roles
DROP CONSTRAINT user_roles_role_check,
ADD CONSTRAINT user_roles_role_check
CHECK (role IN ('buyer', 'seller', 'admin', 'super_admin', 'auditor', 'operator'));
