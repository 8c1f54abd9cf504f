-- Security keys (WebAuthn): a second factor that cannot be typed into the wrong page.

-- What a key shows of itself is public; only the key can sign for it.
CREATE TABLE public.security_keys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES public.users (id),
    credential_id bytea NOT NULL UNIQUE CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    credential bytea NOT NULL CHECK (octet_length(credential) <= 4096),
    sign_count bigint NOT NULL CHECK (sign_count >= 0),
    name text NOT NULL CHECK (octet_length(name) <= 800),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    copied_at timestamptz
);
COMMENT ON COLUMN public.security_keys.copied_at IS 'since when it counts backwards: there is a copy, and neither serves';
CREATE INDEX security_keys_user ON public.security_keys (user_id);

-- What a key is asked to sign: one at a time for each session and purpose, used once.
CREATE TABLE public.security_key_challenges (
    session_id uuid NOT NULL REFERENCES public.sessions (id) ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('register', 'confirm')),
    challenge bytea NOT NULL CHECK (octet_length(challenge) = 32),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, purpose)
);

REVOKE ALL ON TABLE public.security_keys, public.security_key_challenges FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, DELETE, UPDATE (sign_count, name, last_used_at, copied_at) ON TABLE public.security_keys
TO escrow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.security_key_challenges TO escrow_app;
