-- name: upsert_recovery_key
-- A new one ends the one before; only for the key pair that is present.
INSERT INTO public.user_recovery_keys AS known (
    user_id, key_version, key_commitment, pepper_version, wrapped_private_key, created_at
)
SELECT
    user_id,
    key_version,
    %(key_commitment)s AS key_commitment,
    %(pepper_version)s AS pepper_version,
    %(wrapped_private_key)s AS wrapped_private_key,
    %(at)s AS created_at
FROM public.user_keys
WHERE
    user_id = %(user_id)s
    AND key_version = %(key_version)s
    AND retired_at IS NULL
ON CONFLICT (user_id) DO UPDATE
    SET
        key_version = excluded.key_version,
        key_commitment = excluded.key_commitment,
        pepper_version = excluded.pepper_version,
        wrapped_private_key = excluded.wrapped_private_key,
        created_at = excluded.created_at
RETURNING user_id;

-- name: find_recovery_key
-- The one of a user.
SELECT user_id, key_version, key_commitment, pepper_version, wrapped_private_key, created_at
FROM public.user_recovery_keys
WHERE user_id = %s;

-- name: delete_recovery_key
-- The paper is worth nothing from now on.
DELETE FROM public.user_recovery_keys
WHERE user_id = %s;
