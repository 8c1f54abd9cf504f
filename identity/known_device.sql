-- name: insert_device
-- One more.
INSERT INTO public.known_devices (token_hash, user_id, created_at)
VALUES (%(token_hash)s, %(user_id)s, %(at)s);

-- name: delete_older_devices
-- All but the newest.
DELETE FROM public.known_devices
WHERE
    user_id = %(user_id)s
    AND token_hash IN (
        SELECT token_hash
        FROM public.known_devices
        WHERE user_id = %(user_id)s
        ORDER BY created_at DESC, token_hash ASC
        OFFSET %(most)s
    );

-- name: find_device
-- One of this user.
SELECT token_hash
FROM public.known_devices
WHERE
    token_hash = %(token_hash)s
    AND user_id = %(user_id)s;

-- name: has_device
-- Whether there is any.
SELECT EXISTS(SELECT FROM public.known_devices WHERE user_id = %s) AS has_device;

-- name: forget_devices
-- Devices that signed in with the old password are strangers again.
DELETE FROM public.known_devices
WHERE user_id = %s;
