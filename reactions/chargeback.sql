-- name: get_last_look
-- Until when every chargeback that the processor lists has been looked at.
SELECT updated_at
FROM reaction_checkpoints
WHERE name = 'chargebacks';

-- name: save_look
-- Never backwards; there is no position to speak of.
INSERT INTO reaction_checkpoints (name, position, updated_at)
VALUES ('chargebacks', 0, %(at)s)
ON CONFLICT (name) DO UPDATE
    SET updated_at = greatest(reaction_checkpoints.updated_at, excluded.updated_at);

-- name: find_transaction
-- Which transaction a charge belongs to.
SELECT transaction_id
FROM payment_links
WHERE reference = %s;
