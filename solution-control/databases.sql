-- databases.sql - roles and databases of a new pair. Run once by solution-control, as the database
-- superuser over the local socket; every statement may run again after an interruption.
-- Authentication is the operating system's (peer): no role here has a password.
SELECT 'CREATE ROLE "roxe-gateway" LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'roxe-gateway') \gexec
SELECT 'CREATE DATABASE api OWNER "roxe-gateway"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'api') \gexec
SELECT 'CREATE DATABASE calllog OWNER "roxe-gateway"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'calllog') \gexec
REVOKE ALL ON DATABASE api FROM PUBLIC;
REVOKE ALL ON DATABASE calllog FROM PUBLIC;
-- what solution-control writes every probe: one row
CREATE TABLE IF NOT EXISTS probe (id int PRIMARY KEY CHECK (id = 1), at timestamptz NOT NULL);
INSERT INTO probe VALUES (1, clock_timestamp()) ON CONFLICT (id) DO NOTHING;
