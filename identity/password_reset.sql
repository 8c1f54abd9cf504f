-- name: insert_reset
-- One more token of somebody who may sign in and whose address is verified; no row for anybody else.
INSERT INTO public.password_resets (token_hash, user_id, sent_at, expires_at)
SELECT
    %(token_hash)s AS token_hash,
    id,
    %(at)s AS sent_at,
    %(expires_at)s AS expires_at
FROM public.users
WHERE
    lower(email) = lower(%(email)s)
    AND verified_at IS NOT NULL
    AND disabled_at IS NULL
    AND erased_at IS NULL
RETURNING user_id;

-- name: find_reset
-- Whose token this is, while it lives.
SELECT r.user_id
FROM public.password_resets AS r
INNER JOIN public.users AS u ON r.user_id = u.id
WHERE
    r.token_hash = %(token_hash)s
    AND r.expires_at > %(at)s
    AND u.disabled_at IS NULL
    AND u.erased_at IS NULL;

-- name: use_reset
-- Of two who show the same token at once, one gets the row.
DELETE FROM public.password_resets
WHERE
    token_hash = %(token_hash)s
    AND expires_at > %(at)s
RETURNING user_id;

-- name: delete_resets
-- The other tokens of somebody whose password is new.
DELETE FROM public.password_resets
WHERE user_id = %s;

-- name: delete_old_resets
-- Tokens that nobody used in time.
DELETE FROM public.password_resets
WHERE expires_at < %s;

-- name: replace_password
-- Whatever it was.
UPDATE public.user_passwords
SET
    salt = %(salt)s,
    memory_kib = %(memory_kib)s,
    iterations = %(iterations)s,
    lanes = %(lanes)s,
    verifier = %(verifier)s,
    changed_at = %(at)s
WHERE user_id = %(user_id)s;

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
    AND retired_at IS NULL
RETURNING user_id;

-- name: forget_devices
-- Devices that signed in with the old password are strangers again.
DELETE FROM public.known_devices
WHERE user_id = %s;
