-- name: insert_grant
-- Keep a sealed key; the same person's same key is granted only once per deposit and purpose.
INSERT INTO public.vault_grants (
    purpose, transaction_id, listing_id, deposit_id, deposit_version, user_id, suite, fingerprint, sealed
)
VALUES (
    %(purpose)s, %(transaction_id)s, %(listing_id)s, %(deposit_id)s, %(deposit_version)s, %(user_id)s, %(suite)s,
    %(fingerprint)s, %(sealed)s
)
ON CONFLICT DO NOTHING;

-- name: get_grant
-- The one grant that a person's present key opens.
SELECT purpose, transaction_id, listing_id, deposit_id, deposit_version, user_id, suite, fingerprint, sealed
FROM public.vault_grants
WHERE
    deposit_id = %(deposit_id)s
    AND deposit_version = %(deposit_version)s
    AND purpose = %(purpose)s
    AND transaction_id IS NOT DISTINCT FROM %(transaction_id)s::uuid
    AND user_id = %(user_id)s
    AND fingerprint = %(fingerprint)s;

-- name: destroy_delivery
-- Shred what one transaction's buyer could open.
SELECT public.destroy_vault_delivery(%s, %s);

-- name: destroy_material
-- Shred everything that opens a deposit.
SELECT public.destroy_vault_material(%s, %s);
