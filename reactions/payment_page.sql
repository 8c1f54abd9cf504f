-- name: plan_link
-- The intent to open a payment page, before the processor hears of it.
INSERT INTO payment_links (reference, transaction_id, requested_at)
VALUES (%(reference)s, %(transaction_id)s, %(at)s)
ON CONFLICT (reference) DO NOTHING;

-- name: keep_link
-- The page's address; the first one stands.
UPDATE payment_links SET authorization_url = %(authorization_url)s, opening_until = NULL
WHERE
    reference = %(reference)s
    AND authorization_url IS NULL;

-- name: find_link
-- The address of the page under a reference.
SELECT authorization_url
FROM payment_links
WHERE reference = %s;

-- name: take_turn
-- A row comes back to the one who is to open the page.
UPDATE payment_links SET opening_until = %(until)s
WHERE
    reference = %(reference)s
    AND authorization_url IS NULL
    AND coalesce(opening_until <= %(at)s, true)
RETURNING reference;

-- name: end_turn
-- Only one's own: it may have run out, and be somebody else's by now.
UPDATE payment_links SET opening_until = NULL
WHERE
    reference = %(reference)s
    AND opening_until = %(until)s;
