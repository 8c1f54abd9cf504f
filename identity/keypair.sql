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
