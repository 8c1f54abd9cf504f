-- A phone number is one's own once a code that was sent to it came back. The code says nothing about the number.
ALTER TABLE public.users ADD COLUMN phone_verified_at timestamptz;
COMMENT ON COLUMN public.users.phone_verified_at IS 'NULL as long as nobody has shown that the number is theirs';

CREATE TABLE public.phone_codes (
    user_id uuid PRIMARY KEY REFERENCES public.users (id),
    salt bytea NOT NULL CHECK (octet_length(salt) = 16),
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    sent_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries_left integer NOT NULL CHECK (tries_left >= 0)
);

REVOKE ALL ON TABLE public.phone_codes FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE public.phone_codes TO escrow_app;
