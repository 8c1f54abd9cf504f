-- name: tables
-- One row per file that was put to a listing; the file itself lies in the storage, its name in `stored_files`.
CREATE TABLE proofs (
    id uuid PRIMARY KEY,
    listing_id uuid NOT NULL,
    sha256 text NOT NULL,
    media_type text NOT NULL,
    size_bytes bigint NOT NULL,
    attached_at timestamptz NOT NULL,
    removed_at timestamptz,
    position bigint NOT NULL
);

-- name: indexes
-- The proofs of a listing.
CREATE INDEX proofs_listing ON proofs (listing_id, position);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON proofs TO escrow_app;
GRANT SELECT ON proofs TO escrow_auditor;

-- name: count
-- How many proofs of each kind these listings have now.
SELECT
    listing_id,
    media_type,
    count(*) AS amount
FROM proofs
WHERE
    listing_id = ANY(%(listing_ids)s)
    AND removed_at IS NULL
GROUP BY listing_id, media_type
ORDER BY listing_id, media_type;
