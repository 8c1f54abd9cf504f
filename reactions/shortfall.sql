-- name: note
-- Something waits for money at the processor; a row that comes back means that it began to wait just now.
INSERT INTO balance_shortfalls (reference, kind, transaction_id, currency, amount_minor, noticed_at)
VALUES (%(reference)s, %(kind)s, %(transaction_id)s, %(currency)s, %(amount_minor)s, %(at)s)
ON CONFLICT (reference) DO UPDATE SET resolved_at = NULL WHERE balance_shortfalls.resolved_at IS NOT NULL
RETURNING reference;

-- name: settle
-- It waits no longer.
UPDATE balance_shortfalls SET resolved_at = %(at)s WHERE reference = %(reference)s AND resolved_at IS NULL;
