-- name: confirm_session
-- The person behind a session is known again.
UPDATE public.sessions
SET confirmed_at = %(at)s, confirmed_by = %(method)s
WHERE
    id = %(id)s
    AND user_id = %(user_id)s
    AND revoked_at IS NULL;
