-- name: list_believed_paid
-- Those of these payouts that count as paid here.
SELECT
    transaction_id,
    reference
FROM payouts
WHERE
    reference = ANY(%s)
    AND status = 'succeeded'
ORDER BY reference;
