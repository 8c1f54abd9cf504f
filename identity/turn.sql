-- name: lock_user
-- Rows that refer to the user can be written meanwhile.
SELECT id
FROM public.users
WHERE id = %s
FOR NO KEY UPDATE;
