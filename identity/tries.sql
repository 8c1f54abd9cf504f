-- name: count_try
-- One more try, unless a pause is on; every try from the last free one on doubles the pause after it. While tries are
-- free no pause is on, even if another request read its clock later; and none is longer than the longest, if a clock was
-- set back.
INSERT INTO public.tries AS known (bucket, tries, blocked_until)
VALUES (%(bucket)s, 1, %(at)s)
ON CONFLICT (bucket) DO UPDATE
    SET
        tries = CASE WHEN known.blocked_until < %(forgotten)s THEN 1 ELSE known.tries + 1 END,
        blocked_until = CASE
            WHEN known.blocked_until < %(forgotten)s OR known.tries + 1 < %(free)s THEN %(at)s
            ELSE %(at)s + least(%(longest)s, %(pause)s * 2 ^ least(known.tries + 1 - %(free)s, 20))
        END
    WHERE
        known.tries < %(free)s
        OR known.blocked_until <= %(at)s
        OR known.blocked_until > %(at)s + %(longest)s
RETURNING bucket;

-- name: find_pause
-- Until when a pause is on.
SELECT blocked_until
FROM public.tries
WHERE bucket = %s;

-- name: forget_tries
-- It was the right one.
DELETE FROM public.tries
WHERE bucket = %s;

-- name: take_back_try
-- It was the right one, of many who share the bucket.
UPDATE public.tries
SET tries = greatest(tries - 1, 0), blocked_until = least(blocked_until, %(at)s)
WHERE bucket = %(bucket)s;

-- name: delete_old_tries
-- What counts no more.
DELETE FROM public.tries
WHERE blocked_until < %s;
