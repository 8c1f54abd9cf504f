-- What a restore brought back to life is ended, and says why.
ALTER TABLE public.sessions DROP CONSTRAINT sessions_revoked_because_check;
ALTER TABLE public.sessions
ADD CHECK (revoked_because IN ('logout', 'reuse', 'disabled', 'password', 'second_factor', 'revoked', 'restored'));
