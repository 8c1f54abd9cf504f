-- name: try_lock
-- One rotation at a time, on whichever host.
SELECT pg_try_advisory_lock(hashtextextended('vault pepper rotation', 0)) AS is_ours;

-- name: unlock
-- The next may begin.
SELECT pg_advisory_unlock(hashtextextended('vault pepper rotation', 0));

-- name: list_user_keys
-- Present private keys under an older version, by owner.
SELECT user_id, key_version AS number, suite, pepper_version, wrapped_private_key AS blob
FROM public.user_keys
WHERE
    retired_at IS NULL
    AND pepper_version < %(current)s
    AND user_id > %(after)s
ORDER BY user_id
LIMIT %(limit)s;

-- name: rewrap_user_keys
-- Only over what was read: whoever changed the password meanwhile has wrapped it anew.
UPDATE public.user_keys
SET pepper_version = %(version)s, wrapped_private_key = %(blob)s
WHERE
    user_id = %(user_id)s
    AND key_version = %(number)s
    AND wrapped_private_key = %(old)s;

-- name: list_recovery_keys
-- The same of recovery keys.
SELECT r.user_id, r.key_version AS number, k.suite, r.pepper_version, r.wrapped_private_key AS blob
FROM public.user_recovery_keys AS r
INNER JOIN public.user_keys AS k ON r.user_id = k.user_id AND r.key_version = k.key_version
WHERE
    r.pepper_version < %(current)s
    AND r.user_id > %(after)s
ORDER BY r.user_id
LIMIT %(limit)s;

-- name: rewrap_recovery_keys
-- Only over what was read.
UPDATE public.user_recovery_keys
SET pepper_version = %(version)s, wrapped_private_key = %(blob)s
WHERE
    user_id = %(user_id)s
    AND key_version = %(number)s
    AND wrapped_private_key = %(old)s;

-- name: list_app_secrets
-- The same of the secrets of authenticator apps; both of a user, so the limit counts users twice at most.
SELECT user_id, is_confirmed::integer AS number, '' AS suite, pepper_version, sealed_secret AS blob
FROM public.totp_secrets
WHERE
    pepper_version < %(current)s
    AND user_id > %(after)s
ORDER BY user_id
FETCH FIRST %(limit)s ROWS WITH TIES;

-- name: rewrap_app_secrets
-- Only over what was read.
UPDATE public.totp_secrets
SET pepper_version = %(version)s, sealed_secret = %(blob)s
WHERE
    user_id = %(user_id)s
    AND is_confirmed::integer = %(number)s
    AND sealed_secret = %(old)s;

-- name: list_canary
-- The same of the canary.
SELECT user_id, key_version AS number, suite, pepper_version, wrapped_private_key AS blob
FROM public.vault_canary
WHERE
    pepper_version < %(current)s
    AND user_id > %(after)s
ORDER BY user_id
LIMIT %(limit)s;

-- name: rewrap_canary
-- Only over what was read.
UPDATE public.vault_canary
SET pepper_version = %(version)s, wrapped_private_key = %(blob)s
WHERE
    user_id = %(user_id)s
    AND key_version = %(number)s
    AND wrapped_private_key = %(old)s;

-- name: count_older
-- How many rows are still under an older version.
SELECT count(*)
FROM public.pepper_use
WHERE pepper_version < %s;

-- name: retire_older
-- Throw older versions away that nothing uses; returns how many are still used.
SELECT public.retire_pepper_below(%s);

-- name: list_retired
-- Versions that nothing is wrapped with any more.
SELECT version
FROM public.pepper_versions
WHERE retired_at IS NOT NULL;
