-- name: count_try
-- One more try, unless a pause is on; every try beyond the free ones doubles the pause after it.
INSERT INTO public.second_factor_tries AS known (user_id, tries, blocked_until)
VALUES (%(user_id)s, 1, %(at)s)
ON CONFLICT (user_id) DO UPDATE
    SET
        tries = known.tries + 1,
        blocked_until = CASE
            WHEN known.tries + 1 < %(free)s THEN %(at)s
            ELSE %(at)s + least(%(longest)s, %(pause)s * 2 ^ least(known.tries + 1 - %(free)s, 20))
        END
    WHERE known.blocked_until <= %(at)s
RETURNING user_id;

-- name: forget_tries
-- The person was confirmed.
DELETE FROM public.second_factor_tries
WHERE user_id = %s;

-- name: confirm_session
-- The person behind a session is known again.
UPDATE public.sessions
SET confirmed_at = %(at)s, confirmed_by = %(method)s
WHERE
    id = %(id)s
    AND user_id = %(user_id)s
    AND revoked_at IS NULL;
