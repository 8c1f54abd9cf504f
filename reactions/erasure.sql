-- name: list_open
-- What keeps a person: money or a dispute under way, something for sale. Both parties of a dispute wait for it.
SELECT
    'transaction' AS kind,
    t.id
FROM transactions AS t
WHERE
    %(user_id)s IN (t.buyer_id, t.seller_id)
    AND (
        t.state <> ALL(%(ended)s::text [])
        OR t.stuck_reason IS NOT NULL
        OR EXISTS (SELECT FROM disputes AS d WHERE d.transaction_id = t.id AND d.state IN ('open', 'escalated'))
    )
UNION ALL
SELECT
    'listing' AS kind,
    l.id
FROM listings AS l
WHERE
    l.seller_id = %(user_id)s
    AND l.state IN ('submitted', 'info_requested', 'approved', 'reserved')
ORDER BY kind, id
LIMIT 100;

-- name: find_last_movement
-- The retention period begins with the last event of the last sale.
SELECT max(t.updated_at) AS last_at
FROM transactions AS t
WHERE %(user_id)s IN (t.buyer_id, t.seller_id);
