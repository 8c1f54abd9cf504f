-- name: insert_key
-- A new one.
INSERT INTO public.api_keys (id, user_id, key_hash, mode, ends_in, name, scopes, created_at, expires_at)
VALUES (
    %(id)s, %(user_id)s, %(key_hash)s, %(mode)s, %(ends_in)s, %(name)s, %(scopes)s, %(at)s, %(expires_at)s
)
RETURNING id, name, mode, ends_in, scopes AS scope_names, created_at, expires_at, last_used_at;

-- name: list_keys
-- Those that are good, newest first.
SELECT id, name, mode, ends_in, scopes AS scope_names, created_at, expires_at, last_used_at
FROM public.api_keys
WHERE
    user_id = %(user_id)s
    AND revoked_at IS NULL
    AND expires_at > %(at)s
ORDER BY created_at DESC, id DESC;

-- name: revoke_key
-- One key, if it is the user's own and has not ended.
UPDATE public.api_keys
SET revoked_at = %(at)s
WHERE
    id = %(key_id)s
    AND user_id = %(user_id)s
    AND revoked_at IS NULL
    AND expires_at > %(at)s
RETURNING id;

-- name: revoke_keys
-- All that a user has.
UPDATE public.api_keys
SET revoked_at = %(at)s
WHERE
    user_id = %(user_id)s
    AND revoked_at IS NULL
    AND expires_at > %(at)s;

-- name: note_use
-- Only where the last note is old: most requests write nothing.
UPDATE public.api_keys
SET last_used_at = %(at)s
WHERE
    key_hash = ANY(%(key_hashes)s)
    AND (last_used_at IS NULL OR last_used_at < %(before)s);

-- name: delete_ended_keys
-- What nobody can use any more.
DELETE FROM public.api_keys
WHERE
    expires_at < %(before)s
    OR revoked_at < %(before)s;
