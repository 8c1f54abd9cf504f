-- name: list_grants
-- What one key opens.
SELECT purpose, deposit_id, transaction_id
FROM public.vault_grants
WHERE
    user_id = %(user_id)s
    AND fingerprint = %(fingerprint)s
ORDER BY created_at ASC, deposit_id ASC;

-- name: list_bought
-- What somebody is buying, paid or not, and has not seen yet.
SELECT id
FROM transactions
WHERE
    buyer_id = %(user_id)s
    AND state IN ('pending', 'funds_held', 'contract_signed', 'disputed')
ORDER BY created_at ASC, id ASC;
