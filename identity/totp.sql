-- name: upsert_seed
-- A secret, sealed.
INSERT INTO public.totp_secrets (user_id, is_confirmed, pepper_version, sealed_secret, created_at)
VALUES (%(user_id)s, %(is_confirmed)s, %(version)s, %(sealed)s, %(at)s)
ON CONFLICT (user_id, is_confirmed) DO UPDATE
    SET
        pepper_version = excluded.pepper_version,
        sealed_secret = excluded.sealed_secret,
        created_at = excluded.created_at,
        last_step = 0;

-- name: find_seed
-- One secret of a user: the present one, or the one that waits for its first code.
SELECT pepper_version, sealed_secret
FROM public.totp_secrets
WHERE
    user_id = %(user_id)s
    AND is_confirmed = %(is_confirmed)s;

-- name: accept_step
-- Of two who show the same code at once, one gets the row.
UPDATE public.totp_secrets
SET last_step = %(step)s
WHERE
    user_id = %(user_id)s
    AND is_confirmed
    AND last_step < %(step)s
RETURNING user_id;

-- name: delete_confirmed_seed
-- Its successor has shown its first code.
DELETE FROM public.totp_secrets
WHERE
    user_id = %s
    AND is_confirmed;

-- name: confirm_seed
-- The code that proved it is used up.
UPDATE public.totp_secrets
SET is_confirmed = true, last_step = %(step)s
WHERE
    user_id = %(user_id)s
    AND NOT is_confirmed;

-- name: delete_seeds
-- All that a user has.
DELETE FROM public.totp_secrets
WHERE user_id = %s;
