-- name: insert_notification
-- Once: the id says what it is.
INSERT INTO public.notification_queue (
    id, user_id, template, facts, transaction_id, event_version, created_at, due_at, give_up_at
)
VALUES (
    %(id)s, %(user_id)s, %(template)s, %(facts)s, %(transaction_id)s, %(event_version)s, %(created_at)s, %(due_at)s,
    %(give_up_at)s
)
ON CONFLICT (id) DO NOTHING;

-- name: list_due
-- What is to be sent by now, and to where.
SELECT
    q.id,
    q.user_id,
    q.template,
    q.facts,
    q.transaction_id,
    q.event_version,
    q.created_at,
    q.give_up_at,
    q.tries,
    u.email,
    u.verified_at IS NOT NULL AS is_verified
FROM public.notification_queue AS q
LEFT JOIN public.users AS u ON q.user_id = u.id
WHERE
    q.settled_at IS NULL
    AND q.due_at <= %(at)s
ORDER BY q.due_at ASC, q.id ASC
LIMIT %(limit)s;

-- name: settle
-- It has ended; the first time stands.
UPDATE public.notification_queue
SET
    outcome = %(outcome)s,
    settled_at = %(at)s,
    recorded_at = %(recorded_at)s,
    tries = tries + 1
WHERE
    id = %(id)s
    AND settled_at IS NULL
RETURNING id;

-- name: count_outcome
-- One more that ended so.
INSERT INTO public.notification_counts AS known (channel, outcome, number)
VALUES (%(channel)s, %(outcome)s, 1)
ON CONFLICT (channel, outcome) DO UPDATE SET number = known.number + 1;

-- name: postpone
-- It was tried in vain.
UPDATE public.notification_queue
SET
    tries = tries + 1,
    error = %(error)s,
    due_at = %(due_at)s
WHERE
    id = %(id)s
    AND settled_at IS NULL;

-- name: list_unrecorded
-- How telling of one event ended, by outcome, once nobody is left to be told.
SELECT
    q.transaction_id,
    q.event_version,
    q.template,
    q.outcome,
    array_agg(q.user_id ORDER BY q.user_id) AS user_ids,
    array_agg(q.id) AS ids
FROM public.notification_queue AS q
WHERE
    q.recorded_at IS NULL
    AND q.transaction_id IS NOT NULL
    AND q.settled_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM public.notification_queue AS w
        WHERE
            w.recorded_at IS NULL
            AND w.transaction_id = q.transaction_id
            AND w.event_version = q.event_version
            AND w.template = q.template
            AND w.settled_at IS NULL
    )
GROUP BY q.transaction_id, q.event_version, q.template, q.outcome
ORDER BY q.transaction_id, q.event_version, q.template, q.outcome
LIMIT %(limit)s;

-- name: mark_recorded
-- The log has it.
UPDATE public.notification_queue
SET recorded_at = %(at)s
WHERE id = any(%(ids)s);

-- name: list_counts
-- How many ended how.
SELECT
    channel,
    outcome,
    number
FROM public.notification_counts;

-- name: count_waiting
-- How many are due, or would be if they had not failed.
SELECT count(*)
FROM public.notification_queue
WHERE
    settled_at IS NULL
    AND (tries > 0 OR due_at <= %(at)s);

-- name: delete_old
-- What nobody waits for any more.
DELETE FROM public.notification_queue
WHERE
    settled_at < %(before)s
    AND (recorded_at IS NOT NULL OR transaction_id IS NULL);
