-- name: find_transaction
-- Which transaction a charge belongs to.
SELECT transaction_id
FROM payment_links
WHERE reference = %s;
