-- name: insert_recovery_codes
-- New ones, as hashes.
INSERT INTO public.recovery_codes (user_id, code_hash, created_at)
SELECT
    %(user_id)s AS user_id,
    code_hash,
    %(at)s AS created_at
FROM unnest(%(hashes)s) AS codes (code_hash);

-- name: delete_recovery_codes
-- Those before them end.
DELETE FROM public.recovery_codes
WHERE user_id = %s;

-- name: use_recovery_code
-- Of two who show the same code at once, one gets the row.
UPDATE public.recovery_codes
SET used_at = %(at)s
WHERE
    user_id = %(user_id)s
    AND code_hash = %(code_hash)s
    AND used_at IS NULL
RETURNING user_id;

-- name: count_recovery_codes
-- How many are left.
SELECT count(*)
FROM public.recovery_codes
WHERE
    user_id = %s
    AND used_at IS NULL;
