-- name: insert_key_pair
-- A user's new key pair.
INSERT INTO public.user_keys (
    user_id, key_version, suite, public_key, fingerprint, key_commitment, pepper_version, wrapped_private_key,
    created_at
)
VALUES (
    %(user_id)s, %(key_version)s, %(suite)s, %(public_key)s, %(fingerprint)s, %(key_commitment)s, %(pepper_version)s,
    %(wrapped_private_key)s, %(at)s
);

-- name: get_key_pair
-- The one that is not retired.
SELECT user_id, key_version, suite, public_key, fingerprint, key_commitment, pepper_version, wrapped_private_key
FROM public.user_keys
WHERE
    user_id = %s
    AND retired_at IS NULL;

-- name: rewrap_key_pair
-- The same key pair under another password.
UPDATE public.user_keys
SET
    key_commitment = %(key_commitment)s,
    pepper_version = %(pepper_version)s,
    wrapped_private_key = %(wrapped_private_key)s
WHERE
    user_id = %(user_id)s
    AND key_version = %(key_version)s
    AND key_commitment = %(old_commitment)s
    AND retired_at IS NULL
RETURNING user_id;

-- name: retire_key_pair
-- The private half goes for good: not even the old password opens it any more.
UPDATE public.user_keys
SET
    retired_at = %(at)s,
    key_commitment = decode(repeat('00', 32), 'hex'),
    wrapped_private_key = ''
WHERE
    user_id = %(user_id)s
    AND key_version = %(key_version)s
    AND retired_at IS NULL
RETURNING user_id;
