-- A pepper is rotated while the system runs: row by row, until nothing is wrapped with the version before. Then that one is
-- retired, and nothing may be wrapped with it any more.
ALTER TABLE public.pepper_versions ADD COLUMN retired_at timestamptz;

-- A deposit of nobody's, sealed for a key of nobody's that is wrapped with the pepper: opening it every minute shows that
-- the vault would open. What unlocks its key stands here in clear, as nothing hangs on it.
CREATE TABLE public.vault_canary (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    user_id uuid NOT NULL,
    key_version integer NOT NULL,
    suite text NOT NULL,
    public_key bytea NOT NULL,
    key_commitment bytea NOT NULL CHECK (octet_length(key_commitment) = 32),
    pepper_version integer NOT NULL CHECK (pepper_version > 0),
    wrapped_private_key bytea NOT NULL,
    unlock_key bytea NOT NULL CHECK (octet_length(unlock_key) = 32),
    listing_id uuid NOT NULL,
    deposit_id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    commitment bytea NOT NULL CHECK (octet_length(commitment) = 32),
    fingerprint text NOT NULL,
    sealed bytea NOT NULL
);

-- Whoever still knows only the old version would wrap with what is about to be thrown away. Wrapping shares the lock of
-- the version, retiring takes it alone: whichever comes first, the other sees it.
CREATE FUNCTION public.refuse_retired_pepper() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_retired boolean;
BEGIN
    SELECT p.retired_at IS NOT NULL INTO is_retired
    FROM public.pepper_versions AS p
    WHERE p.version = NEW.pepper_version
    FOR SHARE;
    IF is_retired THEN
        RAISE EXCEPTION 'this version of the pepper is retired' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER refuse_retired_pepper BEFORE INSERT OR UPDATE OF pepper_version ON public.user_keys
FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_pepper();
CREATE TRIGGER refuse_retired_pepper BEFORE INSERT OR UPDATE OF pepper_version ON public.user_recovery_keys
FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_pepper();
CREATE TRIGGER refuse_retired_pepper BEFORE INSERT OR UPDATE OF pepper_version ON public.totp_secrets
FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_pepper();
CREATE TRIGGER refuse_retired_pepper BEFORE INSERT OR UPDATE OF pepper_version ON public.vault_canary
FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_pepper();

-- How many rows each version still wraps; keys whose private half was erased need none.
CREATE VIEW public.pepper_use AS
SELECT
    pepper_version,
    'user_keys' AS what
FROM public.user_keys
WHERE retired_at IS NULL
UNION ALL
SELECT
    pepper_version,
    'user_recovery_keys' AS what
FROM public.user_recovery_keys
UNION ALL
SELECT
    pepper_version,
    'totp_secrets' AS what
FROM public.totp_secrets
UNION ALL
SELECT
    pepper_version,
    'vault_canary' AS what
FROM public.vault_canary;

-- Retire every version below this one that nothing uses; returns how many older ones are still in use.
CREATE FUNCTION public.retire_pepper_below(wanted integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    in_use integer;
BEGIN
    PERFORM FROM public.pepper_versions AS p WHERE p.version < wanted AND p.retired_at IS NULL FOR UPDATE;
    UPDATE public.pepper_versions AS p
    SET retired_at = pg_catalog.clock_timestamp()
    WHERE
        p.version < wanted
        AND p.retired_at IS NULL
        AND NOT EXISTS (SELECT FROM public.pepper_use AS u WHERE u.pepper_version = p.version);
    SELECT count(*) INTO in_use FROM public.pepper_versions AS p WHERE p.version < wanted AND p.retired_at IS NULL;
    RETURN in_use;
END
$$;

REVOKE ALL ON TABLE public.vault_canary, public.pepper_use FROM PUBLIC, escrow_auditor;
REVOKE ALL ON FUNCTION public.refuse_retired_pepper(), public.retire_pepper_below(integer) FROM PUBLIC, escrow_auditor;
GRANT SELECT, INSERT ON TABLE public.vault_canary TO escrow_app;
GRANT UPDATE (pepper_version, wrapped_private_key) ON TABLE public.vault_canary TO escrow_app;
GRANT SELECT ON TABLE public.pepper_use TO escrow_app;
GRANT EXECUTE ON FUNCTION public.retire_pepper_below(integer) TO escrow_app;
