-- Who may do what. The roles belong to the whole cluster and are normally there already, with passwords, made by the
-- provisioning step; a migration on a bare database creates them without the right to log in.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['escrow_owner', 'escrow_app', 'escrow_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
END
$$;

-- Nobody but the owner makes objects here: a table or function smuggled into the path could stand in for ours.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO escrow_app, escrow_auditor;

-- Functions are executable by everybody unless we say so here; each migration grants what it means to.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT SELECT ON TABLE public.schema_migrations TO escrow_app, escrow_auditor;
