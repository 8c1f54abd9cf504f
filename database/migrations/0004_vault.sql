-- What opens the vault and must be destroyable: it stands outside the log, and no auditor sees it.
CREATE TABLE public.pepper_versions (
    version integer PRIMARY KEY CHECK (version > 0),
    proof bytea NOT NULL CHECK (octet_length(proof) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN public.pepper_versions.proof IS 'a one-way value by which the right pepper file is recognised';

CREATE TABLE public.vault_grants (
    purpose text NOT NULL CHECK (purpose IN ('custody', 'delivery')),
    transaction_id uuid,
    listing_id uuid NOT NULL,
    deposit_id uuid NOT NULL,
    deposit_version bigint NOT NULL CHECK (deposit_version > 0),
    user_id uuid NOT NULL REFERENCES public.users (id),
    suite text NOT NULL,
    fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    sealed bytea NOT NULL CHECK (octet_length(sealed) <= 4096),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((purpose = 'delivery') = (transaction_id IS NOT NULL)),
    UNIQUE NULLS NOT DISTINCT (deposit_id, deposit_version, purpose, transaction_id, user_id, fingerprint)
);
CREATE INDEX vault_grants_transaction ON public.vault_grants (transaction_id) WHERE transaction_id IS NOT NULL;

-- The answer of a reveal, sealed to the client; written by the append function in the transaction of the event.
CREATE TABLE public.reveal_answers (
    command_id bytea PRIMARY KEY CHECK (octet_length(command_id) = 32),
    transaction_id uuid NOT NULL,
    deposit_id uuid NOT NULL,
    user_id uuid NOT NULL,
    answer bytea NOT NULL CHECK (octet_length(answer) <= 65536),
    expires_at timestamptz NOT NULL
);
CREATE INDEX reveal_answers_deposit ON public.reveal_answers (deposit_id);

-- A plaintext answer is stored nowhere; that its only repeat was taken is.
CREATE TABLE public.reveal_repeats (
    command_id bytea PRIMARY KEY CHECK (octet_length(command_id) = 32),
    transaction_id uuid NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What was destroyed, so that a grant which was on its way at that moment does not come to life afterwards: the whole
-- deposit (and on account of which transaction, if any), or only its delivery in one transaction.
CREATE TABLE public.destroyed_material (
    deposit_id uuid NOT NULL,
    transaction_id uuid,
    whole boolean NOT NULL,
    destroyed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (whole OR transaction_id IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (deposit_id, transaction_id, whole)
);

-- Granting and destroying one deposit take turns.
CREATE FUNCTION public.lock_vault_deposit(wanted uuid) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('vault deposit ' || wanted::text, 0)) $$;

CREATE FUNCTION public.refuse_grant_of_destroyed_material() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.lock_vault_deposit(NEW.deposit_id);
    IF EXISTS (
        SELECT FROM public.destroyed_material
        WHERE deposit_id = NEW.deposit_id AND (whole OR transaction_id = NEW.transaction_id)
    ) THEN
        RAISE EXCEPTION 'this vault material was destroyed' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER refuse_destroyed BEFORE INSERT ON public.vault_grants
FOR EACH ROW EXECUTE FUNCTION public.refuse_grant_of_destroyed_material();

-- Refund or expiry before the reveal: the buyer's key and answer go, the seller keeps his for the next buyer. Returns
-- how many keys and answers were deleted; 0 when called again.
CREATE FUNCTION public.destroy_vault_delivery(deposit_id uuid, transaction_id uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    grants integer;
    answers integer;
BEGIN
    IF $1 IS NULL OR $2 IS NULL THEN
        RAISE EXCEPTION 'deposit and transaction are needed' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM public.lock_vault_deposit($1);
    INSERT INTO public.destroyed_material (deposit_id, transaction_id, whole) VALUES ($1, $2, false)
    ON CONFLICT DO NOTHING;
    DELETE FROM public.reveal_answers AS r WHERE r.deposit_id = $1 AND r.transaction_id = $2;
    GET DIAGNOSTICS answers = ROW_COUNT;
    DELETE FROM public.vault_grants AS g WHERE g.deposit_id = $1 AND g.transaction_id = $2;
    GET DIAGNOSTICS grants = ROW_COUNT;
    RETURN grants + answers;
END
$$;

-- After the reveal, or when a listing is removed: every key to the deposit goes, with the answers that it gave. The
-- transaction may be NULL when there never was one. Returns how many were deleted; 0 when called again.
CREATE FUNCTION public.destroy_vault_material(deposit_id uuid, transaction_id uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    grants integer;
    answers integer;
BEGIN
    IF $1 IS NULL THEN
        RAISE EXCEPTION 'a deposit is needed' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM public.lock_vault_deposit($1);
    INSERT INTO public.destroyed_material (deposit_id, transaction_id, whole) VALUES ($1, $2, true)
    ON CONFLICT DO NOTHING;
    DELETE FROM public.reveal_answers AS r WHERE r.deposit_id = $1;
    GET DIAGNOSTICS answers = ROW_COUNT;
    DELETE FROM public.vault_grants AS g WHERE g.deposit_id = $1;
    GET DIAGNOSTICS grants = ROW_COUNT;
    RETURN grants + answers;
END
$$;

REVOKE ALL ON TABLE
    public.pepper_versions, public.vault_grants, public.reveal_answers, public.reveal_repeats, public.destroyed_material
FROM PUBLIC, escrow_auditor;
REVOKE ALL ON FUNCTION
    public.lock_vault_deposit(uuid), public.refuse_grant_of_destroyed_material(),
    public.destroy_vault_delivery(uuid, uuid), public.destroy_vault_material(uuid, uuid)
FROM PUBLIC, escrow_auditor;

-- Nobody but the functions above deletes, and nobody changes: a grant is given, read and destroyed.
GRANT SELECT, INSERT ON TABLE public.pepper_versions, public.vault_grants TO escrow_app;
GRANT SELECT ON TABLE public.reveal_answers TO escrow_app;
GRANT INSERT, SELECT (command_id) ON TABLE public.reveal_repeats TO escrow_app;
GRANT EXECUTE ON FUNCTION
    public.destroy_vault_delivery(uuid, uuid), public.destroy_vault_material(uuid, uuid)
TO escrow_app;
