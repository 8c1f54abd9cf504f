-- name: lock_user
-- Two changes of one user's roles take turns.
SELECT id
FROM public.users
WHERE id = %s
FOR UPDATE;

-- name: insert_roles
-- Grant several; those already held stay as they are.
INSERT INTO public.user_roles (user_id, role, granted_at)
SELECT %(user_id)s, role, %(at)s
FROM unnest(%(roles)s::text []) AS wanted (role)
ON CONFLICT DO NOTHING;

-- name: delete_roles
-- Revoke several.
DELETE FROM public.user_roles
WHERE
    user_id = %(user_id)s
    AND role = ANY(%(roles)s::text []);

-- name: list_roles
-- All of one user.
SELECT role
FROM public.user_roles
WHERE user_id = %s;
