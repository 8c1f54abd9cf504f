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
