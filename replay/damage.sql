-- name: find_damaged
-- The table to which the file, the index or the TOAST table belongs that PostgreSQL complains of.
WITH named AS (
    SELECT coalesce(x.indrelid, c.oid) AS oid
    FROM pg_catalog.pg_class AS c
    LEFT JOIN pg_catalog.pg_index AS x ON c.oid = x.indexrelid
    WHERE
        %(complaint)s ~ ('\m' || pg_relation_filepath(c.oid) || '(_fsm|_vm|_init)?\M')
        OR (c.relkind = 't' AND %(complaint)s ~ ('\m' || c.relname || '\M'))
        OR (c.relkind = 'i' AND strpos(%(complaint)s, '"' || c.relname || '"') > 0)
)

SELECT coalesce(owner.oid, named.oid)::regclass::text
FROM named
LEFT JOIN pg_catalog.pg_class AS owner ON named.oid = owner.reltoastrelid
ORDER BY 1
LIMIT 1;
