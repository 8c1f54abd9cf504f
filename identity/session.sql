-- name: insert_session
-- A new family.
INSERT INTO public.sessions (id, user_id, created_at, expires_at)
VALUES (%(id)s, %(user_id)s, %(at)s, %(ends_at)s);

-- name: insert_tokens
-- One access token and one refresh token.
WITH access AS (
    INSERT INTO public.access_tokens (token_hash, session_id, expires_at)
    VALUES (%(access_hash)s, %(session_id)s, %(access_expires_at)s)
)

INSERT INTO public.refresh_tokens (token_hash, session_id, expires_at)
VALUES (%(refresh_hash)s, %(session_id)s, %(refresh_expires_at)s);

-- name: find_used
-- The session of a refresh token that was used before, and when.
SELECT session_id, used_at
FROM public.refresh_tokens
WHERE
    token_hash = %s
    AND used_at IS NOT NULL;

-- name: claim_refresh_token
-- Use a refresh token up; of several at once one gets the row.
UPDATE public.refresh_tokens AS t
SET used_at = %(at)s
FROM public.sessions AS s
INNER JOIN public.users AS u ON s.user_id = u.id
WHERE
    t.token_hash = %(token_hash)s
    AND t.used_at IS NULL
    AND t.expires_at > %(at)s
    AND s.id = t.session_id
    AND s.revoked_at IS NULL
    AND s.expires_at > %(at)s
    AND u.disabled_at IS NULL
    AND u.erased_at IS NULL
RETURNING s.id, s.user_id, s.expires_at;

-- name: delete_access_tokens
-- A refresh ends the access tokens before it.
DELETE FROM public.access_tokens
WHERE session_id = %s;

-- name: revoke_session
-- The first reason stands.
UPDATE public.sessions
SET revoked_at = %(at)s, revoked_because = %(reason)s
WHERE
    id = %(session_id)s
    AND revoked_at IS NULL;

-- name: revoke_sessions
-- All of a user; the first reason stands.
UPDATE public.sessions
SET revoked_at = %(at)s, revoked_because = %(reason)s
WHERE
    user_id = %(user_id)s
    AND revoked_at IS NULL;

-- name: name_device
-- What signed in.
UPDATE public.sessions
SET device = %(device)s
WHERE id = %(session_id)s;

-- name: is_going_on
-- Whether nobody has ended this session.
SELECT revoked_at IS NULL
FROM public.sessions
WHERE id = %s;

-- name: list_sessions
-- Where a user is signed in, newest first.
SELECT id, created_at, expires_at, confirmed_at, confirmed_by, device
FROM public.sessions
WHERE
    user_id = %(user_id)s
    AND revoked_at IS NULL
    AND expires_at > %(at)s
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: revoke_own_session
-- One session, if it is the user's own and has not ended.
UPDATE public.sessions
SET revoked_at = %(at)s, revoked_because = 'revoked'
WHERE
    id = %(session_id)s
    AND user_id = %(user_id)s
    AND revoked_at IS NULL
    AND expires_at > %(at)s
RETURNING id;

-- name: authenticate
-- Whose access tokens and API keys these are, and what they may do now.
SELECT
    t.token_hash, s.id, s.user_id, u.verified_at IS NOT NULL AS is_verified, least(t.expires_at, s.expires_at) AS expires_at,
    s.confirmed_at, s.confirmed_by,
    ARRAY(SELECT r.role FROM public.user_roles AS r WHERE r.user_id = s.user_id) AS role_names,
    NULL::text [] AS scope_names, NULL::timestamptz AS last_used_at
FROM public.access_tokens AS t
INNER JOIN public.sessions AS s ON t.session_id = s.id
INNER JOIN public.users AS u ON s.user_id = u.id
WHERE
    t.token_hash = ANY(%(token_hashes)s)
    AND t.expires_at > %(at)s
    AND s.expires_at > %(at)s
    AND s.revoked_at IS NULL
    AND u.disabled_at IS NULL
    AND u.erased_at IS NULL
UNION ALL
SELECT
    k.key_hash, k.id, k.user_id, u.verified_at IS NOT NULL, k.expires_at, NULL, NULL,
    ARRAY(SELECT r.role FROM public.user_roles AS r WHERE r.user_id = k.user_id),
    k.scopes, coalesce(k.last_used_at, k.created_at - interval '1 day')
FROM public.api_keys AS k
INNER JOIN public.users AS u ON k.user_id = u.id
WHERE
    k.key_hash = ANY(%(token_hashes)s)
    AND k.expires_at > %(at)s
    AND k.revoked_at IS NULL
    AND u.disabled_at IS NULL
    AND u.erased_at IS NULL;

-- name: delete_ended_sessions
-- What nobody can use any more.
DELETE FROM public.sessions
WHERE
    expires_at < %(before)s
    OR revoked_at < %(before)s;
