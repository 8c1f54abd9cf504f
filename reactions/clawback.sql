-- name: list_debts
-- The sales on which a seller owes in a currency, the oldest debt first.
SELECT transaction_id
FROM watched_transactions
WHERE
    debtor_id = %(seller_id)s
    AND debt_currency = %(currency)s
    AND transaction_id <> %(transaction_id)s
ORDER BY
    owing_since,
    transaction_id;
