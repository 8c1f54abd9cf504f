-- name: list_versions
-- Every version of the pepper, with the value that recognises it.
SELECT version, proof
FROM public.pepper_versions
ORDER BY version;

-- name: list_samples
-- One stored private key of each version of the pepper.
SELECT DISTINCT ON (pepper_version)
    user_id, key_version, suite, pepper_version, wrapped_private_key
FROM public.user_keys
WHERE retired_at IS NULL
ORDER BY pepper_version ASC, created_at DESC, user_id ASC;

-- name: count_keys
-- How many private keys each version of the pepper wraps.
SELECT
    pepper_version,
    count(*) AS keys
FROM public.user_keys
WHERE retired_at IS NULL
GROUP BY pepper_version
ORDER BY pepper_version;
