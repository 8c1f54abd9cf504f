-- name: tables
-- One row per listing; what its seller wrote stands in `contents` under `content_id`.
CREATE TABLE listings (
    id uuid PRIMARY KEY,
    seller_id uuid NOT NULL,
    state text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    content_id uuid NOT NULL,
    content_sha256 text NOT NULL,
    vault_id uuid,
    transaction_id uuid,
    reason text,
    created_at timestamptz NOT NULL,
    submitted_at timestamptz,
    approved_at timestamptz,
    sold_at timestamptz,
    removed_at timestamptz,
    state_since timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);

-- name: indexes
-- The catalog, a seller's own list, and what waits for vetting.
CREATE INDEX listings_state ON listings (state, created_at, id);
CREATE INDEX listings_seller ON listings (seller_id, created_at, id);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON listings TO escrow_app;
GRANT SELECT ON listings TO escrow_auditor;

-- name: list
-- Listings by state and seller, newest first.
SELECT
    id,
    seller_id,
    state,
    currency,
    amount_minor,
    content_id,
    content_sha256,
    vault_id,
    transaction_id,
    reason,
    created_at,
    submitted_at,
    approved_at,
    sold_at,
    removed_at,
    state_since,
    version,
    position
FROM listings
WHERE
    (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(seller_id)s::uuid IS NULL OR seller_id = %(seller_id)s)
    AND (%(before_at)s::timestamptz IS NULL OR (created_at, id) < (%(before_at)s, %(before_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: list_for_sale
-- What is for sale and fits, by time or price: the next page is what lies beyond the last row of the one before.
SELECT
    listings.id,
    listings.seller_id,
    listings.state,
    listings.currency,
    listings.amount_minor,
    listings.content_id,
    listings.content_sha256,
    listings.vault_id,
    listings.transaction_id,
    listings.reason,
    listings.created_at,
    listings.submitted_at,
    listings.approved_at,
    listings.sold_at,
    listings.removed_at,
    listings.state_since,
    listings.version,
    listings.position
FROM listings
LEFT JOIN public.contents ON listings.content_id = contents.content_id
WHERE
    listings.state = 'approved'
    AND listings.vault_id IS NOT NULL
    AND (%(currency)s::text IS NULL OR listings.currency = %(currency)s)
    AND (%(min_minor)s::bigint IS NULL OR listings.amount_minor >= %(min_minor)s)
    AND (%(max_minor)s::bigint IS NULL OR listings.amount_minor <= %(max_minor)s)
    AND (
        %(words)s::text IS NULL
        OR (
            contents.kind = 'listing'
            AND contents.erased_at IS NULL
            AND public.words_of_listing(contents.body) @@ to_tsquery('simple', %(words)s)
        )
    )
    AND (
        %(after_id)s::uuid IS NULL
        OR (listings.{rank}, listings.id) {beyond} (%(after)s, %(after_id)s)
    )
ORDER BY listings.{rank} {direction}, listings.id {direction}
LIMIT %(limit)s;
