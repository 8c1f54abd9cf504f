-- name: list_samples
-- One stored private key of each version of the pepper.
SELECT DISTINCT ON (pepper_version)
    user_id, key_version, suite, pepper_version, wrapped_private_key
FROM public.user_keys
WHERE retired_at IS NULL
ORDER BY pepper_version ASC, created_at DESC, user_id ASC;
