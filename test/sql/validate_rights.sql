-- validate_schema() about rights: owners, grants, logins, settings and PostgreSQL's own catalogue. Each finding is planted once, while the
-- guard sleeps, and exactly that is found.
BEGIN;
SELECT plan(78);

SELECT id AS north FROM relygate.create_tenant('V_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SET client_min_messages = error;
CREATE ROLE v_alice LOGIN;
CREATE ROLE v_bound LOGIN;
SELECT relygate.bind_role('v_bound', :'north') \gset
ALTER EVENT TRIGGER relygate_guard_ddl DISABLE;
ALTER EVENT TRIGGER relygate_guard_drop DISABLE;
CREATE TABLE test.findings_before AS SELECT unnest(test.findings()) AS line;
SELECT is_empty('SELECT line FROM test.findings_before', 'nothing is wrong to begin with [whole]');

-- Owners, and who makes objects in the product's schemas
SELECT is(test.findings_after($$ GRANT CREATE ON SCHEMA relygate TO v_alice $$), 'schema relygate: CREATE is granted to v_alice', 'CREATE of any role [validate-create]');
SELECT is(test.findings_after($$ GRANT CREATE ON SCHEMA relygate_report, relygate_global TO v_alice $$),
    'schema relygate_global: CREATE is granted to v_alice|schema relygate_report: CREATE is granted to v_alice', '... in each of the schemas [validate-create]');
SELECT is(test.findings_after($$ ALTER SCHEMA relygate OWNER TO v_alice $$), 'schema relygate: it belongs to v_alice', 'the owner of a schema [validate-grants]');
SELECT is(test.findings_after($$ CREATE FUNCTION relygate.patched(text[], text, text, text) RETURNS text LANGUAGE sql AS 'SELECT $4'; REVOKE ALL ON FUNCTION relygate.patched(text[], text, text, text) FROM PUBLIC; ALTER FUNCTION relygate.patched(text[], text, text, text) OWNER TO v_alice $$),
    'relygate.patched(text[],text,text,text): it belongs to v_alice', '... of a function that fits better than the product''s [validate-grants]');
SELECT is(test.findings_after($$ ALTER TABLE relygate.visits OWNER TO v_alice $$), 'relygate.visits: it belongs to v_alice', '... of a table [validate-grants]');
SELECT is(test.findings_after($$ ALTER VIEW relygate_report.visits OWNER TO v_alice $$), 'relygate_report.visits: it belongs to v_alice', '... of a view [validate-grants]');
SELECT is(test.findings_after($$ ALTER DOMAIN relygate.person_name OWNER TO v_alice $$), 'relygate.person_name: it belongs to v_alice', '... of a domain [validate-grants]');
SELECT is(test.findings_after($$ ALTER TABLE relygate_global.signing_keys OWNER TO v_alice $$), 'relygate_global.signing_keys: it belongs to v_alice', '... of the keys [validate-grants]');
SELECT is(test.findings_after($$ ALTER TABLE relygate_global.signing_keys OWNER TO relygate_owner $$), 'relygate_global.signing_keys: it belongs to relygate_owner', '... another role of the product, which may have members [validate-grants]');

-- Tables without a tenant
SELECT is(test.findings_after(format($$ GRANT SELECT ON relygate_global.signing_keys TO %s $$, who)), format('relygate_global.signing_keys: SELECT is granted to %s', who), format('the keys shown to %s [validate-grants]', who))
  FROM unnest(ARRAY['relygate_api', 'relygate_reporting', 'v_alice', 'PUBLIC']) AS who;
SELECT is(test.findings_after($$ GRANT SELECT ON relygate_global.signing_keys TO v_bound $$),
    'relygate_global.signing_keys: SELECT is granted to v_bound|role v_bound: bound to a tenant, but it has SELECT on relygate_global.signing_keys', '... to a bound login [validate-grants, binding-excess]');
SELECT is(test.findings_after($$ GRANT SELECT (private_jwk) ON relygate_global.signing_keys TO relygate_api $$), 'relygate_global.signing_keys: SELECT (private_jwk) is granted to relygate_api', '... one column [validate-grants]');
SELECT is(test.findings_after($$ GRANT INSERT, UPDATE ON relygate_global.routes TO relygate_api $$),
    'relygate_global.routes: INSERT is granted to relygate_api|relygate_global.routes: UPDATE is granted to relygate_api', 'routes that a client may write [validate-grants]');
SELECT is(test.findings_after($$ GRANT DELETE ON relygate_global.login_failures TO v_alice $$), 'relygate_global.login_failures: DELETE is granted to v_alice', 'failed logins that may be forgotten [validate-grants]');
SELECT is(test.findings_after($$ CREATE VIEW test.keys AS SELECT * FROM relygate_global.signing_keys $$), 'test.keys: a view with the rights of its owner', 'a view over the keys, wherever [validate-readers]');
SELECT is(test.findings_after($$ CREATE MATERIALIZED VIEW test.keys AS SELECT * FROM relygate_global.signing_keys $$), 'test.keys: a materialized view', '... that keeps them [validate-readers]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.ev() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; ALTER FUNCTION test.ev() OWNER TO v_alice; CREATE TRIGGER ev AFTER DELETE ON relygate_global.routes FOR EACH STATEMENT EXECUTE FUNCTION test.ev() $$),
    'relygate_global.routes: trigger ev calls test.ev(), which is v_alice''s to change', 'a trigger on routes [stored-code]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.ev() RETURNS boolean LANGUAGE sql AS 'SELECT true'; ALTER FUNCTION test.ev() OWNER TO v_alice; ALTER TABLE relygate_global.routes ADD CONSTRAINT ev CHECK (test.ev()) $$),
    'relygate_global.routes: constraint ev calls test.ev(), which is v_alice''s to change', '... a check [stored-code]');

-- The product's roles and bound logins
SELECT is(test.findings_after($$ GRANT UPDATE ON relygate.tenants TO relygate_api $$), 'relygate.tenants: UPDATE is granted to relygate_api', 'a write that the service was not given [validate-grants]');
SELECT is(test.findings_after($$ GRANT UPDATE (is_operator) ON relygate.tenants TO relygate_api $$), 'relygate.tenants: UPDATE (is_operator) is granted to relygate_api', '... of one column [validate-grants]');
SELECT is(test.findings_after($$ GRANT DELETE ON relygate.users TO relygate_api $$), 'relygate.users: DELETE is granted to relygate_api', '... of users [validate-grants]');
SELECT is(test.findings_after($$ GRANT INSERT ON relygate.product_routes TO relygate_api $$), 'relygate.product_routes: INSERT is granted to relygate_api', '... of the product''s routes [validate-grants]');
SELECT is(test.findings_after($$ GRANT SELECT ON relygate.visits TO relygate_platform $$), 'relygate.visits: SELECT is granted to relygate_platform', 'a read by the owner of definer functions [validate-grants]');
SELECT is(test.findings_after($$ GRANT EXECUTE ON FUNCTION relygate.rotate_signing_key(text, boolean) TO relygate_api $$), 'relygate.rotate_signing_key(text,boolean): EXECUTE is granted to relygate_api', 'a definer function that the service was not given [validate-grants]');
SELECT is(test.findings_after($$ GRANT EXECUTE ON FUNCTION relygate.open_secret(bytea, text, text) TO relygate_api $$), 'relygate.open_secret(bytea,text,text): EXECUTE is granted to relygate_api', '... one of the extension [validate-grants]');
SELECT is(test.findings_after(format($$ GRANT %s TO relygate_reporting $$, w.what)), format('%s: %s is granted to relygate_reporting', w.object, w.privilege), format('of reporting: %s [validate-grants]', w.what))
  FROM (VALUES ('INSERT ON relygate.visits', 'relygate.visits', 'INSERT'), ('UPDATE (remark) ON relygate.visits', 'relygate.visits', 'UPDATE (remark)'),
               ('SELECT ON relygate.users', 'relygate.users', 'SELECT'), ('SELECT (document_hash) ON relygate.visitors', 'relygate.visitors', 'SELECT (document_hash)'),
               ('EXECUTE ON FUNCTION relygate.sign_token(uuid, uuid, text)', 'relygate.sign_token(uuid,uuid,text)', 'EXECUTE'),
               ('EXECUTE ON FUNCTION relygate.drop_audit_month(text)', 'relygate.drop_audit_month(text)', 'EXECUTE')) AS w (what, object, privilege);
SELECT is(test.findings_after(format($$ GRANT %s TO v_bound $$, w.what)), format('role v_bound: bound to a tenant, but it has %s on %s', w.privilege, w.object), format('of a bound login: %s [binding-excess]', w.what))
  FROM (VALUES ('INSERT ON relygate.visits', 'relygate.visits', 'INSERT'), ('DELETE ON relygate_report.visits', 'relygate_report.visits', 'DELETE'),
               ('SELECT ON relygate.users', 'relygate.users', 'SELECT'), ('UPDATE (state) ON relygate.visits', 'relygate.visits', 'UPDATE (state)'),
               ('EXECUTE ON FUNCTION relygate.list_tenants()', 'relygate.list_tenants()', 'EXECUTE'),
               ('EXECUTE ON FUNCTION relygate.erase_person(uuid, text)', 'relygate.erase_person(uuid,text)', 'EXECUTE')) AS w (what, object, privilege);
SELECT is(test.findings_after($$ CREATE ROLE v_group; GRANT v_group TO v_bound; GRANT EXECUTE ON FUNCTION relygate.seal_imported(uuid) TO v_group $$),
    'role v_bound: bound to a tenant, but it has EXECUTE on relygate.seal_imported(uuid)', '... through a role of it [binding-excess]');
SELECT is(test.findings_after($$ ALTER ROLE v_bound CREATEDB $$), 'role v_bound: bound to a tenant, but it is, or is a member of, a role that is CREATEDB: "v_bound"', '... CREATEDB [binding-attributes]');
SELECT is(test.findings_after($$ GRANT SELECT ON relygate.gates TO v_bound; GRANT EXECUTE ON FUNCTION relygate.list_gates TO v_bound; CREATE FUNCTION relygate.own() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION relygate.own() FROM PUBLIC; GRANT EXECUTE ON FUNCTION relygate.own() TO v_bound $$),
    '', '... but not what only reads for its tenant');
SELECT is(test.findings_after($$ GRANT USAGE ON SCHEMA relygate TO v_alice; GRANT EXECUTE ON FUNCTION relygate.seal_audit() TO v_alice; GRANT SELECT, INSERT ON relygate.gates TO v_alice $$), '', '... nor what a login of its own may, as the sealer');
SELECT is(test.findings_after($$ ALTER DEFAULT PRIVILEGES IN SCHEMA relygate GRANT SELECT ON TABLES TO PUBLIC $$), format('role %s: everybody gets SELECT on the tables that it makes', current_user), 'what everybody gets later [validate-grants]');
SELECT is(test.findings_after($$ CREATE TABLE relygate.x (tenant_id uuid, a text); ALTER EXTENSION relygate ADD TABLE relygate.x $$),
    'relygate.x: it was made a member of the extension, so no dump has it and nobody looks at its policies', 'a table made a member of the extension [validate-members]');

-- Who becomes a superuser, or copies everything
SELECT is(test.findings_after(format($$ GRANT %s TO v_alice $$, role)), format('role v_alice: it can become a superuser as a member of %s', role), format('a member of %s [validate-powers]', role))
  FROM unnest(ARRAY['pg_execute_server_program', 'pg_write_server_files']) AS role;
SELECT is(test.findings_after(format($$ GRANT %s TO v_alice $$, role)), format('role v_alice: no policy holds what it may do as a member of %s', role), format('a member of %s [validate-powers]', role))
  FROM unnest(ARRAY['pg_read_server_files', 'pg_read_all_data', 'pg_write_all_data']) AS role;
SELECT is(test.findings_after($$ ALTER ROLE v_alice REPLICATION $$), 'role v_alice: with REPLICATION it may copy the whole cluster', 'REPLICATION [validate-powers]');
SELECT is(test.findings_after($$ GRANT pg_monitor, pg_signal_backend TO v_alice $$), '', '... but not one that monitors');

-- PostgreSQL's own catalogue
SELECT is(test.findings_after(format($$ GRANT SELECT ON %s TO v_alice $$, name)), format('%s: SELECT is granted to v_alice', name), format('%s [validate-catalog]', name))
  FROM unnest(ARRAY['pg_statistic', 'pg_authid', 'pg_db_role_setting', 'pg_statistic_ext_data']) AS name;
SELECT is(test.findings_after($$ GRANT SELECT ON pg_statistic TO PUBLIC $$), 'pg_statistic: SELECT is granted to PUBLIC', '... to everybody [validate-catalog]');
SELECT is(test.findings_after($$ GRANT SELECT (rolpassword) ON pg_authid TO v_alice $$), 'pg_authid: SELECT (rolpassword) is granted to v_alice', '... one column [validate-catalog]');
SELECT is(test.findings_after(format($$ GRANT EXECUTE ON FUNCTION %s TO v_alice $$, name)), format('%s: EXECUTE is granted to v_alice', name), format('%s [validate-catalog]', name))
  FROM unnest(ARRAY['pg_read_binary_file(text)', 'lo_export(oid,text)']) AS name;
SELECT is(test.findings_after($$ CREATE FUNCTION test.leak(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE LEAKPROOF COST 0.000001 AS 'BEGIN RAISE NOTICE ''%'', t; RETURN true; END' $$),
    'test.leak(text): it is declared leakproof', 'a leakproof function [validate-catalog]');
SELECT is(test.findings_after($$ ALTER FUNCTION pg_catalog.int4div(int, int) LEAKPROOF $$), 'int4div(integer,integer): built in, and made leakproof', '... a built-in one [validate-catalog]');
SELECT is(test.findings_after($$ ALTER FUNCTION pg_catalog.pg_ls_dir(text) SECURITY DEFINER $$), 'pg_ls_dir(text): built in, and made SECURITY DEFINER', '... with its owner''s rights [validate-catalog]');

-- Settings
SELECT is(test.findings_after($$ ALTER ROLE relygate_shim SET session_replication_role = replica $$), 'role relygate_shim: sessions begin with session_replication_role=replica', 'triggers off for the service [validate-settings]');
SELECT is(test.findings_after($$ ALTER ROLE v_alice IN DATABASE @ SET session_replication_role = local $$), 'role v_alice: sessions begin with session_replication_role=local', '... for a role in this database [validate-settings]');
SELECT is(test.findings_after($$ ALTER DATABASE @ SET session_replication_role = replica $$), format('database %I: sessions begin with session_replication_role=replica', current_database()), '... for the database [validate-settings]');
SELECT is(test.findings_after($$ ALTER ROLE ALL SET session_replication_role = replica $$), 'all roles: sessions begin with session_replication_role=replica', '... for all [validate-settings]');
SELECT is(test.findings_after($$ ALTER ROLE relygate_shim SET session_preload_libraries = '' $$), 'role relygate_shim: sessions begin with session_preload_libraries=""', 'the library off for a role [validate-settings]');
SELECT is(test.findings_after($$ ALTER ROLE v_bound SET session_preload_libraries = 'auto_explain', 'relygate'; ALTER DATABASE @ SET relygate.key_file = '/etc/relygate/key'; ALTER ROLE v_bound SET statement_timeout = '1min' $$), '', '... but not other settings');

-- Code with other rights
SELECT is(test.findings_after(format($$ CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER %s $$, body)), 'test.loose(): a SECURITY DEFINER function whose owner no policy holds', format('a definer function: %s [validate-definers]', body))
  FROM unnest(ARRAY['SET search_path = pg_catalog AS ''BEGIN RETURN (SELECT count(*) FROM RELYGATE.VISITORS); END''', 'AS ''BEGIN RETURN (SELECT count(*) FROM Visitors); END''']) AS body;
SELECT is(test.findings_after($$ CREATE FUNCTION test.helps() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM relygate.visitors'; CREATE FUNCTION test.helps_more() RETURNS bigint LANGUAGE sql AS 'SELECT test.helps()';
    CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT test.HELPS_more()' $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... that calls one which names our tables [validate-definers]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.helps() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM relygate.visitors'; CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT test.helps(); END $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... with a parsed body [validate-definers]');
SELECT is(test.findings_after($$ CREATE TABLE test.t (a int); CREATE RULE r AS ON INSERT TO test.t DO INSTEAD SELECT first_name FROM relygate.visitors $$),
    'test.t.r: a rule that reads or writes with the rights of its table''s owner', 'a rule that reads our tables [validate-rules]');
SELECT is(test.findings_after($$ CREATE RULE r AS ON UPDATE TO relygate_report.occupancy DO INSTEAD SELECT first_name FROM relygate.visitors $$),
    'relygate_report.occupancy.r: a rule that reads or writes with the rights of its table''s owner', '... on a view that runs with the reader''s rights [validate-rules]');
SELECT is(test.findings_after($$ CREATE RULE r AS ON INSERT TO relygate_global.routes DO ALSO NOTIFY routes $$),
    'relygate_global.routes.r: a rule that reads or writes with the rights of its table''s owner', '... on a table without a tenant [validate-rules]');

SELECT * FROM finish();
ROLLBACK;
