-- name: list_unrecorded
-- Retired keys whose losses the log does not know yet, in pages by key.
SELECT user_id, key_version, fingerprint
FROM public.user_keys
WHERE
    retired_at IS NOT NULL
    AND losses_recorded_at IS NULL
    AND (user_id, key_version) > (%(user_id)s, %(key_version)s)
ORDER BY user_id ASC, key_version ASC
LIMIT 100;

-- name: list_custody
-- The deposits whose key was granted to this key of their seller.
SELECT deposit_id
FROM public.vault_grants
WHERE
    user_id = %(user_id)s
    AND fingerprint = %(fingerprint)s
    AND purpose = 'custody';

-- name: record_losses
-- The log knows.
UPDATE public.user_keys
SET losses_recorded_at = %(at)s
WHERE
    user_id = %(user_id)s
    AND key_version = %(key_version)s;

-- name: is_delivery_lost
-- Whether the buyer's grant is for a key that is retired, and none for the present one.
SELECT EXISTS (
    SELECT
    FROM public.vault_grants AS g
    INNER JOIN public.user_keys AS k ON g.user_id = k.user_id AND g.fingerprint = k.fingerprint
    WHERE
        g.deposit_id = %(deposit_id)s
        AND g.transaction_id = %(transaction_id)s
    HAVING bool_and(k.retired_at IS NOT NULL)
) AS is_lost;

-- name: is_custody_lost
-- The same of the seller's grant; and no grant is left of a deposit that was destroyed.
SELECT
    EXISTS (
        SELECT
        FROM public.vault_grants AS g
        INNER JOIN public.user_keys AS k ON g.user_id = k.user_id AND g.fingerprint = k.fingerprint
        WHERE
            g.deposit_id = %(deposit_id)s
            AND g.purpose = 'custody'
        HAVING bool_and(k.retired_at IS NOT NULL)
    )
    OR EXISTS (
        SELECT
        FROM public.escrow_events
        WHERE
            originator_id = %(deposit_id)s
            AND topic = 'vault.credentials_destroyed.v1'
    ) AS is_lost;

-- name: is_key_lost
-- Whether the buyer's key that the contract names is retired.
SELECT EXISTS (
    SELECT
    FROM public.user_keys
    WHERE
        user_id = %(buyer_id)s
        AND fingerprint = %(fingerprint)s
        AND retired_at IS NOT NULL
) AS is_lost;

-- name: list_destroyed
-- Listings that are, or may come to be, for sale although their deposit was destroyed.
SELECT
    l.id,
    l.vault_id
FROM listings AS l
INNER JOIN public.escrow_events AS e ON l.vault_id = e.originator_id
WHERE
    e.topic = 'vault.credentials_destroyed.v1'
    AND l.state NOT IN ('reserved', 'sold', 'removed');
