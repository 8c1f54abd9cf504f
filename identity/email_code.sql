-- name: upsert_code
-- A new code instead of the old one, unless that was sent a moment ago.
INSERT INTO public.email_codes AS known (user_id, purpose, salt, code_hash, sent_at, expires_at, tries_left)
VALUES (%(user_id)s, %(purpose)s, %(salt)s, %(code_hash)s, %(at)s, %(expires_at)s, %(tries)s)
ON CONFLICT (user_id, purpose) DO UPDATE
    SET
        salt = excluded.salt,
        code_hash = excluded.code_hash,
        sent_at = excluded.sent_at,
        expires_at = excluded.expires_at,
        tries_left = excluded.tries_left
    WHERE known.sent_at <= %(sent_before)s
RETURNING user_id;

-- name: take_try
-- Use up one try and say what it is compared with.
UPDATE public.email_codes AS c
SET tries_left = c.tries_left - 1
FROM public.users AS u
WHERE
    lower(u.email) = lower(%(email)s)
    AND c.user_id = u.id
    AND c.purpose = %(purpose)s
    AND c.tries_left > 0
    AND c.expires_at > %(at)s
    AND u.disabled_at IS NULL
RETURNING c.user_id, c.salt, c.code_hash;

-- name: delete_code
-- It has served.
DELETE FROM public.email_codes
WHERE
    user_id = %(user_id)s
    AND purpose = %(purpose)s
RETURNING user_id;

-- name: find_expired
-- Whether the last code of this purpose has run out.
SELECT c.user_id
FROM public.email_codes AS c
INNER JOIN public.users AS u ON c.user_id = u.id
WHERE
    lower(u.email) = lower(%(email)s)
    AND c.purpose = %(purpose)s
    AND c.expires_at <= %(at)s;
