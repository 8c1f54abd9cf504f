-- Who is erased has no telephone either: no code on its way to one, and nobody knows that one was verified.

-- All or nothing, and again is nothing more. Only for a user who was locked first. Returns whether anything was done.
CREATE OR REPLACE FUNCTION public.erase_personal_data(person uuid, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM public.users WHERE id = person FOR UPDATE;
    UPDATE public.erasures SET erased_at = moment
    WHERE user_id = person AND locked_at IS NOT NULL AND erased_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM public.sessions WHERE user_id = person;
    DELETE FROM public.api_keys WHERE user_id = person;
    DELETE FROM public.security_keys WHERE user_id = person;
    DELETE FROM public.totp_secrets WHERE user_id = person;
    DELETE FROM public.recovery_codes WHERE user_id = person;
    DELETE FROM public.email_codes WHERE user_id = person;
    DELETE FROM public.phone_codes WHERE user_id = person;
    DELETE FROM public.password_resets WHERE user_id = person;
    DELETE FROM public.user_recovery_keys WHERE user_id = person;
    DELETE FROM public.known_devices WHERE user_id = person;
    DELETE FROM public.payout_accounts WHERE user_id = person;
    DELETE FROM public.reveal_answers WHERE user_id = person;
    DELETE FROM public.user_passwords WHERE user_id = person;
    DELETE FROM public.user_keys WHERE user_id = person;
    UPDATE public.contents SET body = NULL, salt = NULL, erased_at = moment
    WHERE owner_id = person AND erased_at IS NULL;
    UPDATE public.users SET
        email = NULL, email_is_unusual = false, display_name = '', legal_name = '', phone = NULL,
        phone_verified_at = NULL,
        disabled_at = coalesce(disabled_at, moment), erased_at = moment
    WHERE id = person;
    RETURN true;
END
$$;
