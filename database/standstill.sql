-- name: begin
-- Something stands still; once for as long as it does.
INSERT INTO standstills (kind, reason, noticed_at)
VALUES (%(kind)s, %(reason)s, %(at)s)
ON CONFLICT (kind) WHERE resolved_at IS NULL DO NOTHING;

-- name: find
-- What stands still of a kind, and since when.
SELECT
    reason,
    noticed_at,
    error
FROM standstills
WHERE
    kind = %(kind)s
    AND resolved_at IS NULL;

-- name: fail
-- It was tried, and this is in the way.
UPDATE standstills
SET
    tried_at = %(at)s,
    error = %(error)s
WHERE
    kind = %(kind)s
    AND resolved_at IS NULL;

-- name: resolve
-- It goes on.
UPDATE standstills SET resolved_at = %(at)s
WHERE
    kind = %(kind)s
    AND resolved_at IS NULL;
