-- name: list_undead
-- Deposits with a living grant or answer although the log says that they were destroyed.
SELECT DISTINCT living.deposit_id
FROM (
    SELECT deposit_id
    FROM public.vault_grants
    UNION ALL
    SELECT deposit_id
    FROM public.reveal_answers
) AS living
INNER JOIN public.escrow_events AS e ON living.deposit_id = e.originator_id
WHERE e.topic = 'vault.credentials_destroyed.v1';

-- name: list_deliveries
-- What buyers could open, and of which transactions.
SELECT deposit_id, transaction_id
FROM public.vault_grants
WHERE purpose = 'delivery'
UNION
SELECT deposit_id, transaction_id
FROM public.reveal_answers;

-- name: list_ended
-- Deposits that a seller could still open although the listing is never for sale again.
SELECT g.deposit_id, l.transaction_id
FROM public.vault_grants AS g
INNER JOIN listings AS l ON g.listing_id = l.id
WHERE
    g.purpose = 'custody'
    AND l.state IN ('removed', 'sold');
