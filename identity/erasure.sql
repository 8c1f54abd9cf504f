-- name: request_erasure
-- The first request stands.
INSERT INTO public.erasures (user_id, requested_at)
VALUES (%(user_id)s, %(at)s)
ON CONFLICT DO NOTHING;

-- name: withdraw_erasure
-- As long as nothing was done.
DELETE FROM public.erasures
WHERE
    user_id = %s
    AND locked_at IS NULL;

-- name: find_erasure
-- How far it is.
SELECT user_id, requested_at, erased_at
FROM public.erasures
WHERE user_id = %s;

-- name: list_waiting
-- Those that are not done.
SELECT user_id
FROM public.erasures
WHERE erased_at IS NULL
ORDER BY requested_at ASC, user_id ASC;

-- name: lock_user
-- Nobody signs in any more; what was disabled before stays so.
WITH locked AS (
    UPDATE public.erasures
    SET locked_at = coalesce(locked_at, %(at)s)
    WHERE
        user_id = %(user_id)s
        AND erased_at IS NULL
    RETURNING user_id, locked_at
)

UPDATE public.users AS u
SET disabled_at = coalesce(u.disabled_at, locked.locked_at)
FROM locked
WHERE u.id = locked.user_id;

-- name: hold_unlocked
-- Whether somebody may still sign in; until the end of the transaction that stays so.
SELECT id
FROM public.users
WHERE
    id = %s
    AND disabled_at IS NULL
FOR SHARE;

-- name: unlock_user
-- Something came up after all; who was disabled before is not let in by this.
WITH unlocked AS (
    SELECT user_id, locked_at
    FROM public.erasures
    WHERE
        user_id = %(user_id)s
        AND erased_at IS NULL
        AND locked_at IS NOT NULL
    FOR UPDATE
),

released AS (
    UPDATE public.erasures AS e
    SET locked_at = NULL
    FROM unlocked
    WHERE e.user_id = unlocked.user_id
)

UPDATE public.users AS u
SET disabled_at = NULL
FROM unlocked
WHERE
    u.id = unlocked.user_id
    AND u.disabled_at = unlocked.locked_at;

-- name: erase
-- All in one transaction, inside the function.
SELECT public.erase_personal_data(%(user_id)s, %(at)s);
