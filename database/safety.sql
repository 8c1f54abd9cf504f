-- name: list_dangers
-- One row per danger: its stable name and what it means. The session is the application's, so that settings of its role
-- and database count as they will in use.
WITH setting AS (
    SELECT
        name,
        setting AS value
    FROM pg_catalog.pg_settings
),
danger AS (
    SELECT
        1 AS rank,
        'server_too_old' AS name,
        'PostgreSQL 15 or newer is needed' AS meaning
    WHERE current_setting('server_version_num')::int < 150000
    UNION ALL
    SELECT
        2,
        s.name || '_off',
        'what was acknowledged can be lost when the machine stops'
    FROM setting AS s
    WHERE s.name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND s.value = 'off'
    UNION ALL
    SELECT
        3,
        'data_checksums_off',
        'damaged pages would go unnoticed'
    FROM setting AS s
    WHERE s.name = 'data_checksums' AND s.value <> 'on'
    UNION ALL
    SELECT
        4,
        s.name || '_on',
        'damaged pages are passed over in silence'
    FROM setting AS s
    WHERE s.name IN ('zero_damaged_pages', 'ignore_checksum_failure') AND s.value = 'on'
    UNION ALL
    SELECT
        5,
        'triggers_disabled',
        'session_replication_role switches off the triggers that protect the log'
    FROM setting AS s
    WHERE s.name = 'session_replication_role' AND s.value <> 'origin'
    UNION ALL
    SELECT
        6,
        'application_is_superuser',
        'the application''s role stands above every grant'
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolname = current_user AND r.rolsuper
    UNION ALL
    SELECT
        7,
        'application_owns_log',
        'the application''s role is, or may become, the owner of the log'
    FROM pg_catalog.pg_class AS c
    WHERE c.oid = to_regclass('public.escrow_events') AND pg_catalog.pg_has_role(current_user, c.relowner, 'MEMBER')
    UNION ALL
    SELECT
        8,
        'application_writes_log',
        'the application''s role may change the log otherwise than by the append function'
    FROM pg_catalog.pg_class AS c
    WHERE
        c.oid = to_regclass('public.escrow_events')
        AND (
            pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
            OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE')
        )
)
SELECT
    name,
    meaning
FROM danger
ORDER BY rank, name;
