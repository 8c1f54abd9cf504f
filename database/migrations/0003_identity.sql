-- People and their sessions. Personal data stands here and nowhere else: the log knows people by id, so that a person
-- can be erased without touching it. The auditor sees none of it.
CREATE TABLE public.users (
    id uuid PRIMARY KEY,
    email text CHECK (octet_length(email) BETWEEN 3 AND 320),
    email_is_unusual boolean NOT NULL DEFAULT false,
    display_name text NOT NULL CHECK (octet_length(display_name) <= 800),
    legal_name text NOT NULL CHECK (octet_length(legal_name) <= 800),
    phone text CHECK (octet_length(phone) <= 64),
    created_at timestamptz NOT NULL,
    verified_at timestamptz,
    disabled_at timestamptz,
    erased_at timestamptz,
    CHECK (email IS NOT NULL OR erased_at IS NOT NULL)
);
COMMENT ON COLUMN public.users.email_is_unusual IS 'holds letters outside ASCII, which may look like others';

-- The program normalises before it writes; the index is the backstop.
CREATE UNIQUE INDEX users_email_key ON public.users (lower(email));

CREATE TABLE public.user_roles (
    user_id uuid NOT NULL REFERENCES public.users (id),
    role text NOT NULL CHECK (role IN ('buyer', 'seller', 'admin', 'super_admin', 'auditor')),
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, role)
);

-- Salt and cost lead from the password to its keys; the verifier is a hash of the first key. The second key, which
-- opens the private key, is never stored.
CREATE TABLE public.user_passwords (
    user_id uuid PRIMARY KEY REFERENCES public.users (id),
    salt bytea NOT NULL CHECK (octet_length(salt) = 16),
    memory_kib integer NOT NULL,
    iterations integer NOT NULL,
    lanes integer NOT NULL,
    verifier text NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE public.user_keys (
    user_id uuid NOT NULL REFERENCES public.users (id),
    key_version integer NOT NULL CHECK (key_version > 0),
    suite text NOT NULL,
    public_key bytea NOT NULL,
    fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    key_commitment bytea NOT NULL CHECK (octet_length(key_commitment) = 32),
    pepper_version integer NOT NULL CHECK (pepper_version > 0),
    wrapped_private_key bytea NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (user_id, key_version)
);

-- One present key for everybody.
CREATE UNIQUE INDEX user_keys_present ON public.user_keys (user_id) WHERE retired_at IS NULL;
CREATE INDEX user_keys_pepper ON public.user_keys (pepper_version);

-- A session is a family of refresh tokens that follow one another from one sign-in.
CREATE TABLE public.sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES public.users (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_because text CHECK (revoked_because IN ('logout', 'reuse', 'disabled', 'password'))
);
CREATE INDEX sessions_user ON public.sessions (user_id) WHERE revoked_at IS NULL;

-- Tokens are kept as SHA-256 of 32 random bytes: the table signs nobody in.
CREATE TABLE public.access_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES public.sessions (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_session ON public.access_tokens (session_id);

CREATE TABLE public.refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES public.sessions (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

-- A token has one successor: at most one unused token per family.
CREATE UNIQUE INDEX refresh_tokens_present ON public.refresh_tokens (session_id) WHERE used_at IS NULL;

CREATE TABLE public.email_codes (
    user_id uuid PRIMARY KEY REFERENCES public.users (id),
    salt bytea NOT NULL CHECK (octet_length(salt) = 16),
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    sent_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries_left integer NOT NULL CHECK (tries_left >= 0)
);

CREATE TABLE public.payout_accounts (
    user_id uuid PRIMARY KEY REFERENCES public.users (id),
    type text NOT NULL CHECK (octet_length(type) <= 64),
    bank_code text NOT NULL CHECK (octet_length(bank_code) <= 64),
    account_number text NOT NULL CHECK (octet_length(account_number) <= 64),
    account_name text NOT NULL CHECK (octet_length(account_name) <= 800),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    updated_at timestamptz NOT NULL
);
CREATE INDEX payout_accounts_number ON public.payout_accounts (bank_code, account_number);

REVOKE ALL ON TABLE
    public.users, public.user_roles, public.user_passwords, public.user_keys, public.sessions, public.access_tokens,
    public.refresh_tokens, public.email_codes, public.payout_accounts
FROM PUBLIC, escrow_auditor;

GRANT SELECT, INSERT, UPDATE ON TABLE
    public.users, public.user_passwords, public.sessions, public.refresh_tokens, public.payout_accounts
TO escrow_app;
GRANT SELECT, INSERT, DELETE ON TABLE public.user_roles, public.access_tokens TO escrow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.email_codes TO escrow_app;
GRANT DELETE ON TABLE public.sessions, public.refresh_tokens TO escrow_app;

-- The public half of a key is never changed: contracts name its fingerprint.
GRANT SELECT, INSERT ON TABLE public.user_keys TO escrow_app;
GRANT UPDATE (key_commitment, pepper_version, wrapped_private_key, retired_at) ON TABLE public.user_keys TO escrow_app;

-- Who may do what is what an audit is about, and an id is no personal data.
GRANT SELECT ON TABLE public.user_roles TO escrow_auditor;
