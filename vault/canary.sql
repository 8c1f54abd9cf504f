-- name: insert_canary
-- The only one; of two programs that start at once the first one's stands.
INSERT INTO public.vault_canary (
    user_id, key_version, suite, public_key, key_commitment, pepper_version, wrapped_private_key, unlock_key, listing_id,
    deposit_id, ciphertext, commitment, fingerprint, sealed
)
VALUES (
    %(user_id)s, %(key_version)s, %(suite)s, %(public_key)s, %(key_commitment)s, %(pepper_version)s,
    %(wrapped_private_key)s, %(unlock_key)s, %(listing_id)s, %(deposit_id)s, %(ciphertext)s, %(commitment)s,
    %(fingerprint)s, %(sealed)s
)
ON CONFLICT DO NOTHING;

-- name: find_canary
-- The only one.
SELECT
    user_id, key_version, suite, public_key, key_commitment, pepper_version, wrapped_private_key, unlock_key, listing_id,
    deposit_id, ciphertext, commitment, fingerprint, sealed
FROM public.vault_canary;
