-- A forgotten password: a token by mail lets its owner choose a new one. What only the old password opened is lost, unless
-- the owner has printed a recovery key.

-- Kept as hashes, good once and for minutes. Several may be alive: whoever asks in another's name must not end his token.
CREATE TABLE public.password_resets (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    user_id uuid NOT NULL REFERENCES public.users (id),
    sent_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_resets_user ON public.password_resets (user_id);

-- The private key a second time, under a key that is on paper and under the pepper. One per user, for the present key.
CREATE TABLE public.user_recovery_keys (
    user_id uuid PRIMARY KEY REFERENCES public.users (id),
    key_version integer NOT NULL CHECK (key_version > 0),
    key_commitment bytea NOT NULL CHECK (octet_length(key_commitment) = 32),
    pepper_version integer NOT NULL CHECK (pepper_version > 0),
    wrapped_private_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX user_recovery_keys_pepper ON public.user_recovery_keys (pepper_version);

-- The private half of a retired key is erased; until `losses_recorded_at` the log does not know yet what was lost with it.
ALTER TABLE public.user_keys ADD COLUMN losses_recorded_at timestamptz;
CREATE INDEX user_keys_unrecorded ON public.user_keys (retired_at)
WHERE retired_at IS NOT NULL AND losses_recorded_at IS NULL;
CREATE INDEX vault_grants_user ON public.vault_grants (user_id, fingerprint);

REVOKE ALL ON TABLE public.password_resets, public.user_recovery_keys FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.password_resets, public.user_recovery_keys TO escrow_app;
GRANT UPDATE (losses_recorded_at) ON TABLE public.user_keys TO escrow_app;
