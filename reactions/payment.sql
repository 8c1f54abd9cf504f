-- name: plan_link
-- The intent to open a payment page, before the processor hears of it.
INSERT INTO payment_links (reference, transaction_id, requested_at)
VALUES (%(reference)s, %(transaction_id)s, %(at)s)
ON CONFLICT (reference) DO NOTHING;

-- name: keep_link
-- The page's address; the first one stands.
UPDATE payment_links SET authorization_url = %(authorization_url)s
WHERE
    reference = %(reference)s
    AND authorization_url IS NULL;

-- name: find_link
-- The address of the page under a reference.
SELECT authorization_url
FROM payment_links
WHERE reference = %s;
