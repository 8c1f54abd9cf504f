-- name: insert_password
-- What a new user's password is checked with.
INSERT INTO public.user_passwords (user_id, salt, memory_kib, iterations, lanes, verifier, changed_at)
VALUES (%(user_id)s, %(salt)s, %(memory_kib)s, %(iterations)s, %(lanes)s, %(verifier)s, %(at)s);

-- name: get_password
-- By user.
SELECT user_id, salt, memory_kib, iterations, lanes, verifier
FROM public.user_passwords
WHERE user_id = %s;

-- name: find_password
-- By normalised e-mail, of those who may sign in.
SELECT p.user_id, p.salt, p.memory_kib, p.iterations, p.lanes, p.verifier
FROM public.users AS u
INNER JOIN public.user_passwords AS p ON u.id = p.user_id
WHERE
    lower(u.email) = lower(%s)
    AND u.disabled_at IS NULL
    AND u.erased_at IS NULL;

-- name: get_present_password
-- By user, of those who may sign in.
SELECT p.user_id, p.salt, p.memory_kib, p.iterations, p.lanes, p.verifier
FROM public.users AS u
INNER JOIN public.user_passwords AS p ON u.id = p.user_id
WHERE
    u.id = %s
    AND u.disabled_at IS NULL
    AND u.erased_at IS NULL;

-- name: replace_password
-- Only over the password that was shown, where one was.
UPDATE public.user_passwords
SET
    salt = %(salt)s,
    memory_kib = %(memory_kib)s,
    iterations = %(iterations)s,
    lanes = %(lanes)s,
    verifier = %(verifier)s,
    changed_at = %(at)s
WHERE
    user_id = %(user_id)s
    AND (%(shown)s::text IS NULL OR verifier = %(shown)s)
RETURNING user_id;
