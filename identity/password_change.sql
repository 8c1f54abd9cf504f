-- name: replace_password
-- Only over the password that was shown.
UPDATE public.user_passwords
SET
    salt = %(salt)s,
    memory_kib = %(memory_kib)s,
    iterations = %(iterations)s,
    lanes = %(lanes)s,
    verifier = %(verifier)s,
    changed_at = %(at)s
WHERE
    user_id = %(user_id)s
    AND verifier = %(old_verifier)s
RETURNING user_id;

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

-- name: revoke_other_sessions
-- Whoever knew the old password is signed out.
UPDATE public.sessions
SET revoked_at = %(at)s, revoked_because = 'password'
WHERE
    user_id = %(user_id)s
    AND id <> %(session_id)s
    AND revoked_at IS NULL;
