-- witness.sql - the register that decides which node of the pair may go on alone.
--
-- Run as a superuser in a database of its own on a third PostgreSQL server (13 or later), never on a
-- node of the pair; again whenever you like (passwords are renewed, the register is left alone):
--
--   psql -X -v ON_ERROR_STOP=1 -v cluster=NAME -v role_a=ROLE1 -v pw_a=PASSWORD1
--        -v role_b=ROLE2 -v pw_b=PASSWORD2 -d DATABASE -f witness.sql
--
-- Role a belongs to node 1, role b to node 2. Each role may call two functions and nothing else. A change
-- happens only when the caller names the present seq, raises seq by one, never lowers the term, never
-- names the other node as owner, and never touches SOLO of the other node. To forget a node that is lost
-- for good, the server's administrator changes the row by hand and raises seq:
--
--   UPDATE open_gateway.og_witness SET mode = 'PAIR', owner = NULL, seq = seq + 1, term = term + 1,
--          updated_at = now() WHERE cluster = 'NAME';

\set ON_ERROR_STOP on

SET client_min_messages = warning;
BEGIN;

CREATE SCHEMA IF NOT EXISTS open_gateway;
REVOKE ALL ON SCHEMA open_gateway FROM PUBLIC;

CREATE TABLE IF NOT EXISTS open_gateway.og_witness (
    cluster    text PRIMARY KEY,
    seq        bigint NOT NULL CHECK (seq > 0),
    term       bigint NOT NULL CHECK (term >= 0),
    mode       text NOT NULL CHECK (mode IN ('PAIR', 'SOLO')),
    owner      integer CHECK (owner IN (1, 2)),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((mode = 'SOLO') = (owner IS NOT NULL))
);
CREATE TABLE IF NOT EXISTS open_gateway.og_witness_node (
    role    name PRIMARY KEY,
    cluster text NOT NULL,
    node    integer NOT NULL CHECK (node IN (1, 2))
);
REVOKE ALL ON open_gateway.og_witness, open_gateway.og_witness_node FROM PUBLIC;

-- What every answer says: what happened, the register as it is now, and who answered.
DO $$
BEGIN
    IF to_regtype('open_gateway.og_witness_answer') IS NULL THEN
        CREATE TYPE open_gateway.og_witness_answer AS (
            status text,     -- ok, conflict, refused, missing, unfit
            seq bigint, mode text, owner integer, term bigint,
            system_id text, timeline text, started text,
            in_recovery boolean, fsync boolean, synchronous_commit text);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION open_gateway.og_witness_caller(p_cluster text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_node integer;
BEGIN
    SELECT n.node INTO v_node FROM open_gateway.og_witness_node n
     WHERE n.role = session_user AND n.cluster = p_cluster;
    IF v_node IS NULL THEN
        RAISE insufficient_privilege
            USING MESSAGE = format('role "%s" is no node of the cluster "%s"', session_user, p_cluster);
    END IF;
    RETURN v_node;
END
$$;

CREATE OR REPLACE FUNCTION open_gateway.og_witness_say(p_status text, p_row open_gateway.og_witness)
RETURNS open_gateway.og_witness_answer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_answer open_gateway.og_witness_answer;
BEGIN
    v_answer.status := p_status;
    v_answer.seq := p_row.seq;
    v_answer.mode := p_row.mode;
    v_answer.owner := p_row.owner;
    v_answer.term := p_row.term;
    SELECT s.system_identifier::text INTO v_answer.system_id FROM pg_control_system() s;
    v_answer.in_recovery := pg_is_in_recovery();
    -- The control file learns of a new timeline only at the next checkpoint; the file name at once.
    v_answer.timeline := CASE WHEN v_answer.in_recovery THEN '-'
        ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END;
    v_answer.started := (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text;
    v_answer.fsync := current_setting('fsync')::boolean;
    v_answer.synchronous_commit := current_setting('synchronous_commit');
    RETURN v_answer;
END
$$;

CREATE OR REPLACE FUNCTION open_gateway.og_witness_unfit() RETURNS boolean
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_is_in_recovery() OR NOT current_setting('fsync')::boolean
$$;

CREATE OR REPLACE FUNCTION open_gateway.og_witness_read(p_cluster text)
RETURNS open_gateway.og_witness_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_row open_gateway.og_witness;
BEGIN
    PERFORM open_gateway.og_witness_caller(p_cluster);
    IF open_gateway.og_witness_unfit() THEN
        RETURN open_gateway.og_witness_say('unfit', NULL);
    END IF;
    SELECT * INTO v_row FROM open_gateway.og_witness w WHERE w.cluster = p_cluster;
    RETURN open_gateway.og_witness_say(CASE WHEN FOUND THEN 'ok' ELSE 'missing' END, v_row);
END
$$;

-- p_mode NULL: the content stays, only seq is raised (a beat, and what makes a late statement fail).
CREATE OR REPLACE FUNCTION open_gateway.og_witness_cas(p_cluster text, p_expected_seq bigint,
    p_mode text, p_owner integer, p_term bigint)
RETURNS open_gateway.og_witness_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_node integer := open_gateway.og_witness_caller(p_cluster);
    v_row open_gateway.og_witness;
BEGIN
    -- Local to the transaction, and so still in force when it commits after this function.
    PERFORM set_config('synchronous_commit', 'on', true), set_config('lock_timeout', '500ms', true);
    IF open_gateway.og_witness_unfit() THEN
        RETURN open_gateway.og_witness_say('unfit', NULL);
    END IF;
    SELECT * INTO v_row FROM open_gateway.og_witness w WHERE w.cluster = p_cluster FOR UPDATE;
    IF NOT FOUND THEN
        RETURN open_gateway.og_witness_say('missing', NULL);
    ELSIF p_expected_seq IS NULL OR v_row.seq <> p_expected_seq THEN
        RETURN open_gateway.og_witness_say('conflict', v_row);
    ELSIF v_row.owner <> v_node
       OR p_mode IS NOT NULL AND (p_mode NOT IN ('PAIR', 'SOLO')
            OR (p_mode = 'SOLO') <> (p_owner IS NOT NULL)
            OR p_owner <> v_node
            OR p_term IS NULL OR p_term < v_row.term) THEN
        RETURN open_gateway.og_witness_say('refused', v_row);
    END IF;
    UPDATE open_gateway.og_witness w
       SET seq = w.seq + 1, updated_at = clock_timestamp(),
           mode = CASE WHEN p_mode IS NULL THEN w.mode ELSE p_mode END,
           owner = CASE WHEN p_mode IS NULL THEN w.owner ELSE p_owner END,
           term = CASE WHEN p_mode IS NULL THEN w.term ELSE p_term END
     WHERE w.cluster = p_cluster RETURNING * INTO v_row;
    RETURN open_gateway.og_witness_say('ok', v_row);
END
$$;

REVOKE ALL ON FUNCTION open_gateway.og_witness_caller(text),
    open_gateway.og_witness_say(text, open_gateway.og_witness),
    open_gateway.og_witness_unfit(), open_gateway.og_witness_read(text),
    open_gateway.og_witness_cas(text, bigint, text, integer, bigint) FROM PUBLIC;

-- The roles. Settings: commits are durable whatever the server's default; a dead client's connection and
-- its locks go within seconds.
SELECT format('CREATE ROLE %I', r) FROM (VALUES (:'role_a'), (:'role_b')) AS wanted (r)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) \gexec
SELECT format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS '
              'NOINHERIT CONNECTION LIMIT 8 PASSWORD %L', r, p)
  FROM (VALUES (:'role_a', :'pw_a'), (:'role_b', :'pw_b')) AS wanted (r, p) \gexec
SELECT format('ALTER ROLE %I SET %s', r, s)
  FROM (VALUES (:'role_a'), (:'role_b')) AS wanted (r),
       (VALUES ('synchronous_commit = on'), ('lock_timeout = ''500ms'''),
               ('statement_timeout = ''2s'''), ('idle_in_transaction_session_timeout = ''2s'''),
               ('tcp_keepalives_idle = 5'), ('tcp_keepalives_interval = 2'),
               ('tcp_keepalives_count = 3'), ('tcp_user_timeout = ''5s''')) AS settings (s) \gexec
GRANT USAGE ON SCHEMA open_gateway TO :"role_a", :"role_b";
GRANT EXECUTE ON FUNCTION open_gateway.og_witness_read(text),
    open_gateway.og_witness_cas(text, bigint, text, integer, bigint) TO :"role_a", :"role_b";

DELETE FROM open_gateway.og_witness_node
 WHERE cluster = :'cluster' OR role IN (:'role_a', :'role_b');
INSERT INTO open_gateway.og_witness_node (role, cluster, node)
VALUES (:'role_a', :'cluster', 1), (:'role_b', :'cluster', 2);
INSERT INTO open_gateway.og_witness (cluster, seq, term, mode, owner)
VALUES (:'cluster', 1, 0, 'PAIR', NULL) ON CONFLICT (cluster) DO NOTHING;

COMMIT;
