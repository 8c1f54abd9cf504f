-- A password alone does not decide about other people's money: what proves the person a second time.

-- A code by mail proves a mailbox, for one purpose at a time.
ALTER TABLE public.email_codes
ADD COLUMN purpose text NOT NULL DEFAULT 'verify_email'
CHECK (purpose IN ('verify_email', 'confirm', 'reset_password'));
ALTER TABLE public.email_codes ALTER COLUMN purpose DROP DEFAULT;
ALTER TABLE public.email_codes DROP CONSTRAINT email_codes_pkey;
ALTER TABLE public.email_codes ADD PRIMARY KEY (user_id, purpose);

-- The secret of an authenticator app, wrapped with the pepper. One that was not tried yet may stand beside the present.
CREATE TABLE public.totp_secrets (
    user_id uuid NOT NULL REFERENCES public.users (id),
    is_confirmed boolean NOT NULL,
    pepper_version integer NOT NULL CHECK (pepper_version > 0),
    sealed_secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, is_confirmed)
);
COMMENT ON COLUMN public.totp_secrets.last_step IS 'the newest time step whose code was accepted: none is accepted twice';
CREATE INDEX totp_secrets_pepper ON public.totp_secrets (pepper_version);

-- Kept as hashes of 80 random bits; each serves once.
CREATE TABLE public.recovery_codes (
    user_id uuid NOT NULL REFERENCES public.users (id),
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

-- Passwords and six digits are guessed: tries are counted before they are looked at, by account, device and address.
-- A bucket is a keyed hash, so the table tells nobody's address.
CREATE TABLE public.tries (
    bucket bytea PRIMARY KEY CHECK (octet_length(bucket) = 32),
    tries integer NOT NULL CHECK (tries >= 0),
    blocked_until timestamptz NOT NULL
);
CREATE INDEX tries_blocked_until ON public.tries (blocked_until);

-- A device that has signed in before is counted by itself: whoever floods the account does not lock it out.
CREATE TABLE public.known_devices (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    user_id uuid NOT NULL REFERENCES public.users (id),
    created_at timestamptz NOT NULL
);
CREATE INDEX known_devices_user ON public.known_devices (user_id, created_at);

ALTER TABLE public.sessions DROP CONSTRAINT sessions_revoked_because_check;
ALTER TABLE public.sessions
ADD CHECK (revoked_because IN ('logout', 'reuse', 'disabled', 'password', 'second_factor', 'revoked'));

-- When, and by what, the person of a session was last confirmed.
ALTER TABLE public.sessions
ADD COLUMN confirmed_at timestamptz,
ADD COLUMN confirmed_by text CHECK (confirmed_by IN ('totp', 'recovery_code', 'webauthn', 'mailed_code')),
ADD CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL));

REVOKE ALL ON TABLE
    public.totp_secrets, public.recovery_codes, public.tries, public.known_devices
FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE
    public.totp_secrets, public.recovery_codes, public.tries, public.known_devices
TO escrow_app;
