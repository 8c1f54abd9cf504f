-- name: keep_content
-- Keep what somebody wrote; of two with the same id the first one stands.
INSERT INTO public.contents (content_id, owner_id, kind, body, salt, sha256, created_at)
VALUES (%(content_id)s, %(owner_id)s, %(kind)s, %(body)s, %(salt)s, %(sha256)s, %(at)s)
ON CONFLICT (content_id) DO NOTHING;

-- name: get_hash
-- The hash that the log is to hold.
SELECT sha256
FROM public.contents
WHERE content_id = %s;

-- name: read_contents
-- The texts that nobody has erased.
SELECT
    content_id,
    body
FROM public.contents
WHERE
    content_id = ANY(%s)
    AND erased_at IS NULL;
