-- name: upsert_challenge
-- The latest stands.
INSERT INTO public.security_key_challenges (session_id, purpose, challenge, expires_at)
VALUES (%(session_id)s, %(purpose)s, %(challenge)s, %(expires_at)s)
ON CONFLICT (session_id, purpose) DO UPDATE
    SET challenge = excluded.challenge, expires_at = excluded.expires_at;

-- name: take_challenge
-- Of two who answer the same challenge at once, one gets the row.
DELETE FROM public.security_key_challenges
WHERE
    session_id = %(session_id)s
    AND purpose = %(purpose)s
RETURNING challenge, expires_at;

-- name: insert_security_key
-- No row comes back when somebody has registered this key already.
INSERT INTO public.security_keys (id, user_id, credential_id, credential, sign_count, name, created_at)
VALUES (%(id)s, %(user_id)s, %(credential_id)s, %(credential)s, %(sign_count)s, %(name)s, %(at)s)
ON CONFLICT DO NOTHING
RETURNING id, name, created_at, last_used_at, copied_at;

-- name: list_security_keys
-- All of one user, oldest first.
SELECT id, name, created_at, last_used_at, copied_at
FROM public.security_keys
WHERE user_id = %s
ORDER BY created_at ASC, id ASC;

-- name: list_credentials
-- Those that serve.
SELECT credential
FROM public.security_keys
WHERE
    user_id = %s
    AND copied_at IS NULL
ORDER BY created_at ASC, id ASC;

-- name: count_use
-- A key counts what it signs; one that never counts says zero for ever.
UPDATE public.security_keys
SET sign_count = %(sign_count)s, last_used_at = %(at)s
WHERE
    credential_id = %(credential_id)s
    AND user_id = %(user_id)s
    AND copied_at IS NULL
    AND (sign_count < %(sign_count)s OR (sign_count = 0 AND %(sign_count)s = 0))
RETURNING id;

-- name: mark_copied
-- The first time stands.
UPDATE public.security_keys
SET copied_at = coalesce(copied_at, %(at)s)
WHERE
    credential_id = %(credential_id)s
    AND user_id = %(user_id)s;

-- name: rename_security_key
-- One of the user's own.
UPDATE public.security_keys
SET name = %(name)s
WHERE
    id = %(key_id)s
    AND user_id = %(user_id)s
RETURNING id, name, created_at, last_used_at, copied_at;

-- name: delete_security_key
-- One of the user's own.
DELETE FROM public.security_keys
WHERE
    id = %(key_id)s
    AND user_id = %(user_id)s
RETURNING id;

-- name: delete_security_keys
-- All that a user has.
DELETE FROM public.security_keys
WHERE user_id = %s;
