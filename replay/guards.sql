-- name: list_missing
-- Those of these constraints and triggers that their tables do not have, or that are switched off.
SELECT
    expected.guard,
    expected.relation
FROM unnest(%(guards)s::text [], %(tables)s::text []) AS expected (guard, relation)
INNER JOIN pg_catalog.pg_class AS c
    ON expected.relation = c.relname AND c.relnamespace = 'public'::regnamespace
WHERE
    NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_constraint AS k
        LEFT JOIN pg_catalog.pg_index AS x ON k.conindid = x.indexrelid
        WHERE k.conrelid = c.oid AND k.conname = expected.guard AND coalesce(x.indisvalid, TRUE)
    )
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = c.oid AND t.tgname = expected.guard AND t.tgenabled IN ('O', 'A')
    )
ORDER BY expected.guard;
