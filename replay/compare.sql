-- name: list_columns
-- The columns of some tables of a schema, in a form that two schemas can be compared by.
SELECT
    c.relname,
    a.attname,
    format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_attribute AS a ON c.oid = a.attrelid
WHERE
    c.relnamespace = to_regnamespace(%(schema)s)
    AND c.relname = ANY(%(tables)s)
    AND c.relkind IN ('r', 'p')
    AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY c.relname, a.attnum;

-- name: list_indexes
-- Indexes and constraints of some tables, without the name of the schema.
SELECT
    c.relname,
    i.relname,
    replace(pg_get_indexdef(i.oid), quote_ident(n.nspname) || '.', '')
    || CASE WHEN x.indisvalid THEN '' ELSE ' invalid' END
FROM pg_catalog.pg_index AS x
INNER JOIN pg_catalog.pg_class AS i ON x.indexrelid = i.oid
INNER JOIN pg_catalog.pg_class AS c ON x.indrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(tables)s)
UNION ALL
SELECT
    c.relname,
    k.conname,
    pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint AS k
INNER JOIN pg_catalog.pg_class AS c ON k.conrelid = c.oid
INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(tables)s) AND k.contype = 'c'
ORDER BY 1, 2, 3;

-- name: list_grants
-- Who may do what with some tables and their columns.
SELECT
    c.relname,
    coalesce(r.rolname, 'public') || ' ' || g.privilege_type,
    'granted'
FROM pg_catalog.pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS g
LEFT JOIN pg_catalog.pg_roles AS r ON g.grantee = r.oid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relname = ANY(%(tables)s)
UNION ALL
SELECT
    c.relname,
    coalesce(r.rolname, 'public') || ' ' || g.privilege_type || ' (' || a.attname || ')',
    'granted'
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_attribute AS a ON c.oid = a.attrelid
CROSS JOIN LATERAL aclexplode(a.attacl) AS g
LEFT JOIN pg_catalog.pg_roles AS r ON g.grantee = r.oid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relname = ANY(%(tables)s)
ORDER BY 1, 2;

-- name: compare
-- Rows that only one of the two tables has, or that are not the same in both.
SELECT
    jsonb_build_array({keys})::text,
    to_jsonb(live)::text,
    to_jsonb(shadow)::text
FROM {live} AS live
FULL JOIN {shadow} AS shadow USING ({keys})
WHERE {live_key} IS NULL OR {shadow_key} IS NULL OR ROW({live_columns}) IS DISTINCT FROM ROW({shadow_columns});

-- name: list_doubles
-- Keys that more than one row of a table has, whatever its unique index says, and how many.
SELECT
    jsonb_build_array({keys})::text,
    count(*)
FROM {live}
GROUP BY {keys}
HAVING count(*) > 1;

-- name: read_as_everywhere
-- Texts of values do not depend on the session.
SELECT
    set_config('timezone', 'UTC', TRUE),
    set_config('datestyle', 'ISO, YMD', TRUE),
    set_config('bytea_output', 'hex', TRUE),
    set_config('extra_float_digits', '1', TRUE),
    set_config('jit', 'off', TRUE);

-- name: hold_checkpoints
-- Nobody moves these before this transaction ends; how far they are.
SELECT
    name,
    version,
    position
FROM public.projection_checkpoints
WHERE name = ANY(%s)
ORDER BY name
FOR UPDATE;

-- name: take_snapshot
-- The transaction sees what is committed now, and nothing later.
SELECT pg_current_snapshot();

-- name: identify
-- The table that has this name now, null for none.
SELECT to_regclass(%s)::oid;
