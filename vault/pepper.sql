-- name: is_pepper_needed
-- Whether anything was ever wrapped with a pepper: then a new one must not be made.
SELECT EXISTS (SELECT FROM public.pepper_versions) OR EXISTS (SELECT FROM public.user_keys) AS is_needed;

-- name: record_pepper_version
-- Remember how to recognise a version; the first proof stands for ever.
INSERT INTO public.pepper_versions (version, proof)
VALUES (%s, %s)
ON CONFLICT (version) DO NOTHING;

-- name: list_pepper_versions
-- Every version that something may be wrapped with, and the value that recognises it.
SELECT version, proof
FROM public.pepper_versions
WHERE retired_at IS NULL
ORDER BY version;

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
