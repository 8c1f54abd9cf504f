-- name: insert_user
-- No row comes back when the address is taken.
INSERT INTO public.users (id, email, email_is_unusual, display_name, legal_name, phone, created_at)
VALUES (
    %(id)s, %(email)s, %(email_is_unusual)s, %(display_name)s, %(legal_name)s, %(phone)s, %(at)s
)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: get_user
-- One user with roles.
SELECT
    id, email, email_is_unusual, display_name, legal_name, phone, created_at, verified_at, disabled_at,
    ARRAY(SELECT role FROM public.user_roles WHERE user_id = users.id ORDER BY role) AS role_names
FROM public.users
WHERE id = %s;

-- name: find_user
-- The same by normalised e-mail.
SELECT
    id, email, email_is_unusual, display_name, legal_name, phone, created_at, verified_at, disabled_at,
    ARRAY(SELECT role FROM public.user_roles WHERE user_id = users.id ORDER BY role) AS role_names
FROM public.users
WHERE lower(email) = lower(%s);

-- name: verify_email
-- The first time stands.
UPDATE public.users
SET verified_at = coalesce(verified_at, %(at)s)
WHERE id = %(user_id)s;
