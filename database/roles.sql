-- name: role_exists
-- Whether the cluster has a role of this name.
SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %s);

-- name: create_role
-- A role that may log in and nothing else.
CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;

-- name: set_password
-- The verifier is computed by the client: the password itself never travels or reaches a log.
ALTER ROLE {role} LOGIN PASSWORD {verifier};

-- name: make_read_only
-- A second lock on the auditor's door; the first is that it is granted nothing but SELECT.
ALTER ROLE {role} SET default_transaction_read_only = on;

-- name: database_exists
-- Whether the cluster has a database of this name.
SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %s);

-- name: create_database
-- The database of the product.
CREATE DATABASE {database} OWNER {owner};

-- name: become_owner_member
-- From PostgreSQL 16 on, an administrator without superuser rights must be a member of the role it gives things to.
GRANT {owner} TO CURRENT_USER;

-- name: own_database
-- The owner of the database owns its schema public too (pg_database_owner).
ALTER DATABASE {database} OWNER TO {owner};

-- name: close_database
-- Nobody connects unless named.
REVOKE ALL ON DATABASE {database} FROM PUBLIC;

-- name: open_database
-- The application folds in temporary tables.
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app};

-- name: open_database_to_auditor
-- The auditor only reads.
GRANT CONNECT ON DATABASE {database} TO {auditor};

-- name: own_schema
-- Clusters upgraded from before PostgreSQL 15 still have the schema in the hands of the superuser.
ALTER SCHEMA public OWNER TO pg_database_owner;

-- name: describe_user
-- Who we are on this server, in which database, and what we may do there.
SELECT
    d.datname AS database,
    r.rolsuper AS is_superuser,
    r.rolsuper OR r.rolcreaterole AS may_create_roles,
    r.rolsuper OR r.rolcreatedb AS may_create_databases,
    pg_catalog.pg_has_role(r.oid, d.datdba, 'USAGE') AS owns_database
FROM pg_catalog.pg_roles AS r CROSS JOIN pg_catalog.pg_database AS d
WHERE r.rolname = current_user AND d.datname = current_database();

-- name: owns_database
-- Whether this session's role owns the database.
SELECT pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE')
FROM pg_catalog.pg_database AS d
WHERE d.datname = current_database();

-- name: count_sessions
-- How many sessions the three roles have open anywhere in the cluster.
SELECT count(*)
FROM pg_catalog.pg_stat_activity
WHERE usename = ANY(%s) AND pid <> pg_catalog.pg_backend_pid();

-- name: has_room
-- Whether one more session of a role without special rights would find room on this server and in this database.
WITH session AS (
    SELECT
        usename,
        datname
    FROM pg_catalog.pg_stat_activity
    WHERE usename IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
)
SELECT
    (SELECT count(*) FROM session)
    + current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', TRUE), '0')::int
    < current_setting('max_connections')::int
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_database AS d
        WHERE
            d.datname = current_database()
            AND d.datconnlimit >= 0
            AND d.datconnlimit <= (SELECT count(*) FROM session WHERE session.datname = d.datname)
    )
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_roles AS r
        WHERE
            r.rolname = %(role)s
            AND r.rolconnlimit >= 0
            AND r.rolconnlimit <= (SELECT count(*) FROM session WHERE session.usename = r.rolname)
    );

-- name: lock_provisioning
-- Two processes provision one after the other.
SELECT pg_advisory_lock(hashtextextended('escrow provisioning', 0));
