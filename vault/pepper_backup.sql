-- name: list_versions
-- Every version of the pepper that something may be wrapped with, and the value that recognises it.
SELECT version, proof
FROM public.pepper_versions
WHERE retired_at IS NULL
ORDER BY version;

-- name: list_samples
-- One stored private key of each version of the pepper.
SELECT DISTINCT ON (pepper_version)
    user_id, key_version, suite, pepper_version, wrapped_private_key
FROM public.user_keys
WHERE retired_at IS NULL
ORDER BY pepper_version ASC, created_at DESC, user_id ASC;

-- name: count_use
-- How many private keys, recovery keys and secrets of apps each version of the pepper wraps.
SELECT
    pepper_version,
    count(*) FILTER (WHERE what = 'user_keys') AS keys,
    count(*) FILTER (WHERE what = 'user_recovery_keys') AS recovery_keys,
    count(*) FILTER (WHERE what = 'totp_secrets') AS app_secrets
FROM public.pepper_use
GROUP BY pepper_version
ORDER BY pepper_version;
