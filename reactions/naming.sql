-- name: find_transaction
-- Which transaction a reference of ours, or Paystack's id of a refund, belongs to, as far as the tables know.
SELECT transaction_id FROM payment_links WHERE reference = %(reference)s
UNION ALL
SELECT transaction_id FROM payouts WHERE reference = %(reference)s
UNION ALL
SELECT transaction_id FROM refunds WHERE reference = %(reference)s OR processor_refund_id = %(reference)s
LIMIT 1;
