-- name: revoke_other_sessions
-- Whoever knew the old password is signed out.
UPDATE public.sessions
SET revoked_at = %(at)s, revoked_because = 'password'
WHERE
    user_id = %(user_id)s
    AND id <> %(session_id)s
    AND revoked_at IS NULL;
