-- name: get_phone
-- The number, and since when it is known to be the user's.
SELECT
    phone AS number,
    phone_verified_at AS verified_at
FROM public.users
WHERE id = %s;

-- name: set_phone
-- Nobody has shown yet that it is theirs.
UPDATE public.users
SET
    phone = %(phone)s,
    phone_verified_at = NULL
WHERE id = %(user_id)s;

-- name: verify_phone
-- Somebody has.
UPDATE public.users
SET phone_verified_at = %(at)s
WHERE id = %(user_id)s;

-- name: upsert_code
-- A new code instead of the old one, unless that was sent a moment ago.
INSERT INTO public.phone_codes AS known (user_id, salt, code_hash, sent_at, expires_at, tries_left)
VALUES (%(user_id)s, %(salt)s, %(code_hash)s, %(at)s, %(expires_at)s, %(tries)s)
ON CONFLICT (user_id) DO UPDATE
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
UPDATE public.phone_codes
SET tries_left = tries_left - 1
WHERE
    user_id = %(user_id)s
    AND tries_left > 0
    AND expires_at > %(at)s
RETURNING salt, code_hash;

-- name: find_expired
-- Whether the last code has run out.
SELECT user_id
FROM public.phone_codes
WHERE
    user_id = %(user_id)s
    AND expires_at <= %(at)s;

-- name: use_code
-- This one has served; of two who show it at once, one gets it.
DELETE FROM public.phone_codes
WHERE
    user_id = %s
    AND code_hash = %s
RETURNING user_id;

-- name: delete_code
-- It was sent to another number.
DELETE FROM public.phone_codes
WHERE user_id = %s;
