-- name: end_signed_in
-- Sessions, and codes and tokens that were on their way, from before a moment; how many of each.
WITH ended AS (
    UPDATE public.sessions
    SET revoked_at = %(at)s, revoked_because = 'restored'
    WHERE
        created_at < %(before)s
        AND revoked_at IS NULL
        AND expires_at > %(at)s
    RETURNING id
),

mailed AS (
    DELETE FROM public.email_codes
    WHERE sent_at < %(before)s
    RETURNING user_id
),

texted AS (
    DELETE FROM public.phone_codes
    WHERE sent_at < %(before)s
    RETURNING user_id
),

resets AS (
    DELETE FROM public.password_resets
    WHERE sent_at < %(before)s
    RETURNING user_id
)

SELECT
    (SELECT count(*) FROM ended) AS sessions,
    (SELECT count(*) FROM mailed) + (SELECT count(*) FROM texted) + (SELECT count(*) FROM resets) AS codes;

-- name: revoke_api_keys
-- Keys for programs from before a moment.
UPDATE public.api_keys
SET revoked_at = %(at)s
WHERE
    created_at < %(before)s
    AND revoked_at IS NULL
    AND expires_at > %(at)s;
