-- name: upsert_payout_account
-- The latest stands.
INSERT INTO public.payout_accounts
    (user_id, type, bank_code, account_number, account_name, currency, updated_at, salt)
VALUES (
    %(user_id)s, %(type)s, %(bank_code)s, %(account_number)s, %(account_name)s, %(currency)s, %(at)s, %(salt)s
)
ON CONFLICT (user_id) DO UPDATE
    SET
        type = excluded.type,
        bank_code = excluded.bank_code,
        account_number = excluded.account_number,
        account_name = excluded.account_name,
        currency = excluded.currency,
        updated_at = excluded.updated_at,
        salt = excluded.salt;

-- name: find_payout_account
-- Where a user is paid.
SELECT type, bank_code, account_number, account_name, currency
FROM public.payout_accounts
WHERE user_id = %s;

-- name: find_salt
-- The salt of the hash that the log has of where a user is paid.
SELECT salt
FROM public.payout_accounts
WHERE user_id = %s;

-- name: lock_user
-- One change at a time: the order of the log is the order of the table.
SELECT id
FROM public.users
WHERE id = %s
FOR UPDATE;

-- name: list_sharing
-- Who else is paid to this account.
SELECT user_id
FROM public.payout_accounts
WHERE
    user_id <> %(user_id)s
    AND bank_code = %(bank_code)s
    AND account_number = %(account_number)s
ORDER BY user_id
LIMIT 10;
