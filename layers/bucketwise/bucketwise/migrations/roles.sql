-- Run by an administrator of the database (a superuser, or on Amazon's RDS the master user) before the
-- numbered files, every time: it changes nothing that is as it should be.
--
--   bucketwise_migrate  owns the schema
--   bucketwise_ingest   reads and writes the tables
--   bucketwise_ask      calls the search functions, and has no right on any table

-- Schema public, because the search functions look for its operators there and nowhere else.
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['bucketwise_migrate', 'bucketwise_ingest', 'bucketwise_ask'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- there before, or made this moment from another database of the same server
        END;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
        -- On RDS, a member of rds_iam logs in with a token signed by its IAM identity, and with nothing else.
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam')
           AND NOT pg_has_role(role_name, 'rds_iam', 'MEMBER') THEN
            EXECUTE format('GRANT rds_iam TO %I', role_name);
        END IF;
        IF NOT EXISTS (
            SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
            WHERE r.rolname = role_name AND s.setconfig::text LIKE '%idle_session_timeout%') THEN
            -- An open connection keeps a serverless database awake; a forgotten transaction holds up vacuum.
            EXECUTE format('ALTER ROLE %I SET idle_session_timeout = ''4min''', role_name);
            EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''30s''', role_name);
        END IF;
    END LOOP;
    -- Each transaction of the functions sets a bound of its own; this one is for what else these roles are used for. The
    -- longest invocations are 30 seconds of ask and 15 minutes of reconcile.
    IF NOT EXISTS (
        SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
        WHERE r.rolname = 'bucketwise_ask' AND s.setconfig::text LIKE '%statement_timeout%') THEN
        ALTER ROLE bucketwise_ask SET statement_timeout = '30s';
        ALTER ROLE bucketwise_ingest SET statement_timeout = '15min';
    END IF;
    -- Where nothing else bounds how many questions are answered at once, the connections that are left (of the 400 in a
    -- stack) are enough for ingest and for this file.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bucketwise_ask' AND rolconnlimit = -1) THEN
        ALTER ROLE bucketwise_ask CONNECTION LIMIT 300;
    END IF;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO bucketwise_migrate', current_database());
    IF NOT pg_has_role(current_user, 'bucketwise_migrate', 'SET') THEN
        EXECUTE format('GRANT bucketwise_migrate TO %I WITH SET TRUE', current_user);
    END IF;
END
$$;
