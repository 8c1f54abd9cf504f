-- name: write_alone
-- Whoever writes or deletes many rows takes turns: two who lock the same ones in another order would end each other.
SELECT pg_advisory_xact_lock(hashtextextended('access log', 0));

-- name: write_access
-- One more access; one that repeats within the hour is counted. An id of nothing is not kept: anybody can make such up.
WITH found AS (
    SELECT
        coalesce(
            %(user_id)s::uuid, (SELECT users.id FROM public.users WHERE lower(users.email) = lower(%(email)s::text))
        ) AS user_id,
        (
            SELECT %(object_id)s::uuid
            WHERE EXISTS (SELECT FROM public.escrow_events WHERE escrow_events.originator_id = %(object_id)s::uuid)
        ) AS object_id
)

INSERT INTO public.access_log AS known (
    bucket, first_at, last_at, times, action, outcome, reason, user_id, role, object_id, request_id, address, user_agent
)
SELECT
    sha256(
        convert_to(
            jsonb_build_array(
                %(hour)s::timestamptz, %(action)s::text, %(outcome)s::text, %(reason)s::text, found.user_id,
                %(role)s::text, found.object_id, %(address)s::text
            )::text,
            'UTF8'
        )
    ),
    %(at)s,
    %(at)s,
    %(times)s,
    %(action)s,
    %(outcome)s,
    %(reason)s,
    found.user_id,
    %(role)s,
    found.object_id,
    %(request_id)s,
    %(address)s,
    %(user_agent)s
FROM found
ON CONFLICT (bucket) DO UPDATE
    SET times = known.times + excluded.times, last_at = greatest(known.last_at, excluded.last_at);

-- name: raise_alert
-- Somebody tries what nobody tries by accident; again is counted. Only about what exists.
INSERT INTO public.security_alerts AS known (kind, transaction_id, user_id, first_at, last_at, times)
SELECT %(kind)s, %(object_id)s, %(user_id)s, %(at)s, %(at)s, 1
WHERE EXISTS (SELECT FROM public.escrow_events WHERE escrow_events.originator_id = %(object_id)s::uuid)
ON CONFLICT (kind, transaction_id, user_id) DO UPDATE
    SET times = known.times + 1, last_at = greatest(known.last_at, excluded.last_at)
RETURNING known.id;

-- name: list_accesses
-- A page, newest first; a filter that is null lets everything through.
SELECT
    id, first_at, last_at, times, action, outcome, reason, user_id, role, object_id, request_id, address, user_agent
FROM public.access_log
WHERE
    (%(before)s::bigint IS NULL OR id < %(before)s)
    AND (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s)
    AND (%(object_id)s::uuid IS NULL OR object_id = %(object_id)s)
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
    AND (%(since)s::timestamptz IS NULL OR last_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR first_at < %(until)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: list_security_alerts
-- A page, newest first.
SELECT id, kind, transaction_id, user_id, first_at, last_at, times
FROM public.security_alerts
WHERE %(before)s::bigint IS NULL OR id < %(before)s
ORDER BY id DESC
LIMIT %(limit)s;

-- name: forget_addresses
-- Take away from where a user came; that he came stays.
UPDATE public.access_log
SET address = NULL, user_agent = NULL
WHERE user_id = %s AND (address IS NOT NULL OR user_agent IS NOT NULL);

-- name: delete_old_accesses
-- What is older than the installation wants to know.
DELETE FROM public.access_log
WHERE last_at < %s;
