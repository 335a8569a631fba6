-- validate_schema(): each finding is planted once, while the guard sleeps, and exactly that is found.
BEGIN;
SELECT plan(91);

SELECT id AS north FROM relygate.create_tenant('V_NORTH', 'North', 'school', 'Asia/Kolkata', 'IN') \gset
SET client_min_messages = error;
CREATE TABLE relygate.audit_log_2099_01 (LIKE relygate.audit_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE relygate.audit_log_2099_01 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON relygate.audit_log_2099_01 FOR EACH STATEMENT EXECUTE FUNCTION relygate.refuse_audit_change();
ALTER TABLE relygate.audit_log_2099_01 ENABLE ALWAYS TRIGGER append_only_truncate;
SELECT relygate.let_sealer_read('relygate.audit_log_2099_01') \gset
ALTER TABLE relygate.audit_log_2099_01 OWNER TO relygate_audit;
ALTER TABLE relygate.audit_log ATTACH PARTITION relygate.audit_log_2099_01 FOR VALUES FROM ('2099-01-01') TO ('2099-02-01');
ALTER EVENT TRIGGER relygate_guard_ddl DISABLE;
ALTER EVENT TRIGGER relygate_guard_drop DISABLE;
CREATE TABLE test.findings_before AS SELECT unnest(test.findings()) AS line;
SELECT is_empty('SELECT line FROM test.findings_before', 'nothing is wrong to begin with [whole]');
SELECT is(test.findings_after($$ CREATE TABLE relygate.things (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id)); ALTER TABLE relygate.things OWNER TO relygate_owner $$),
    'relygate.things: the table is not protected', 'a table that nobody protected [validate-schema]');
SELECT is(test.findings_after($$ ALTER TABLE relygate.visits DISABLE ROW LEVEL SECURITY $$),
    'relygate.visits: row-level security is not enabled', 'ENABLE [validate-schema]');
SELECT is(test.findings_after($$ ALTER TABLE relygate.visits NO FORCE ROW LEVEL SECURITY $$),
    'relygate.visits: row-level security is not forced', 'FORCE [validate-schema]');
SELECT is(test.findings_after($$ ALTER POLICY base ON relygate.visits USING (true) $$),
    'relygate.visits: policy base is missing or changed', 'the policy base [validate-schema]');
SELECT is(test.findings_after($$ DROP POLICY tenant ON relygate.visits $$),
    'relygate.visits: policy tenant is missing or changed', 'the policy tenant [validate-schema]');
SELECT is(test.findings_after($$ ALTER TABLE relygate.visits DISABLE TRIGGER audit $$),
    'relygate.visits: trigger audit is disabled', 'a disabled trigger [validate-schema]');
SELECT is(test.findings_after($$ CREATE RULE copy AS ON INSERT TO relygate.visits DO ALSO NOTIFY visits $$),
    'relygate.visits: rule copy rewrites it', 'a rule [validate-schema, guard-of-rules]');
SELECT is(test.findings_after($$ CREATE TABLE test.child () INHERITS (relygate.gates) $$),
    'relygate.gates: partition test.child can be read past its policies', 'a child [validate-schema, guard-of-children, ownership-of-functions]');
SELECT is(test.findings_after($$ ALTER EXTENSION relygate ADD TABLE relygate.gates $$),
    'relygate.gates: it is a member of an extension, so no dump has its rows', 'a member of the extension [validate-schema]');
SELECT is(test.findings_after($$ CREATE POLICY more ON relygate.visits USING (true) $$),
    'relygate.visits.more: a policy of its own on a protected table', 'one more policy [validate-schema]');
SELECT is(test.findings_after($$ ALTER event trigger relygate_guard_audit_ddl DISABLE; GRANT SELECT ON relygate.audit_log_2099_01 TO relygate_api $$),
    'relygate.audit_log_2099_01: SELECT is granted to relygate_api|relygate.audit_log_2099_01: a partition can be read past the policies of its table', 'a partition with rights of its own [validate-schema, audit-defects]');
SELECT is(test.findings_after($$ GRANT TRUNCATE ON relygate.visits TO relygate_api $$),
    'relygate.visits: TRUNCATE is granted to relygate_api', 'TRUNCATE [validate-schema]');
SELECT is(test.findings_after($$ GRANT REFERENCES ON relygate.visits TO relygate_api $$),
    'relygate.visits: REFERENCES is granted to relygate_api', 'REFERENCES [validate-schema]');
SELECT is(test.findings_after($$ GRANT TRIGGER ON relygate.visits TO relygate_api $$),
    'relygate.visits: TRIGGER is granted to relygate_api', 'TRIGGER [validate-schema]');
SELECT is(test.findings_after($$ GRANT SELECT ON relygate.visits TO PUBLIC $$),
    'relygate.visits: SELECT is granted to PUBLIC', 'a right of PUBLIC [validate-schema]');
SELECT is(test.findings_after($$ GRANT REFERENCES (id) ON relygate.visits TO relygate_api $$),
    'relygate.visits.id: REFERENCES is granted to relygate_api', 'REFERENCES of one column [validate-schema]');
SELECT is(test.findings_after($$ GRANT SELECT (id) ON relygate.visits TO PUBLIC $$),
    'relygate.visits.id: SELECT is granted to PUBLIC', 'a right of PUBLIC on one column [validate-schema]');
SELECT is(test.findings_after($$ GRANT SELECT (id) ON relygate.audit_log_2099_01 TO relygate_api $$),
    'relygate.audit_log_2099_01: a partition can be read past the policies of its table', 'a column of a partition [validate-schema]');
SELECT is(test.findings_after($$ CREATE UNIQUE INDEX visitors_key ON relygate.visitors (mobile) $$),
    'relygate.visitors_key: a key does not begin with tenant_id', 'a key without the tenant [validate-schema]');
SELECT is(test.findings_after($$ CREATE UNIQUE INDEX visits_id ON relygate.visits (id); ALTER TABLE relygate.visits ADD other uuid, ADD CONSTRAINT other FOREIGN KEY (other) REFERENCES relygate.visits (id) $$),
    'relygate.visits.other: a foreign key does not carry tenant_id|relygate.visits_id: a key does not begin with tenant_id', 'a foreign key without the tenant [validate-schema]');
SELECT is(test.findings_after($$ CREATE TABLE test.notes (tenant uuid, visit uuid, CONSTRAINT of_visit FOREIGN KEY (tenant, visit) REFERENCES relygate.visits (tenant_id, id)) $$),
    'test.notes.of_visit: a table without a tenant refers to a table of tenants', 'a reference from outside [validate-schema]');
SELECT is(test.findings_after($$ CREATE INDEX visitors_created ON relygate.visitors (created_at) $$),
    'relygate.visitors_created: an index does not begin with tenant_id', 'an index without the tenant [validate-schema]');
SELECT is(test.findings_after($$ CREATE TYPE test.state AS ENUM ('a'); ALTER TABLE relygate.visits ADD mood test.state; CREATE INDEX ON relygate.visits (tenant_id, mood) $$),
    'relygate.visits.mood: an index over type test.state', 'an enum in an index [validate-schema]');
SELECT is(test.findings_after($$ ALTER TABLE relygate.visits ADD fee numeric; CREATE INDEX ON relygate.visits (tenant_id, fee) $$),
    'relygate.visits.fee: an index over type numeric', 'a numeric in an index [validate-schema]');
SELECT is(test.findings_after($$ ALTER TABLE relygate.visitors ALTER mobile SET STATISTICS -1 $$),
    'relygate.visitors.mobile: statistics are kept of a personal column', 'statistics [validate-schema]');
SELECT is(test.findings_after($$ CREATE STATISTICS test.together ON tenant_id, mobile FROM relygate.visitors $$),
    'statistics together: extended statistics of relygate.visitors', 'extended statistics [validate-schema]');
SELECT is(test.findings_after($$ ALTER FUNCTION relygate.current_user_id() IMMUTABLE $$),
    'relygate.current_user_id(): it was replaced or changed', 'an IMMUTABLE context [validate-schema]');
SELECT is(test.findings_after($$ CREATE OR REPLACE FUNCTION relygate.routes_changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END' $$),
    'relygate.routes_changed(): it was replaced or changed', 'a C function replaced by another language [validate-schema]');
SELECT is(test.findings_after($$ CREATE OR REPLACE FUNCTION relygate.routes_changed() RETURNS trigger LANGUAGE c AS '$libdir/relygate', 'relygate_audit_row' $$),
    'relygate.routes_changed(): it was replaced or changed', '... by another one of the library [validate-schema]');
SELECT is(test.findings_after($$ CREATE OR REPLACE FUNCTION relygate.note_departure() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END' $$),
    'relygate.note_departure(): it was replaced or changed', '... a body [validate-schema]');
SELECT is(test.findings_after($$ ALTER FUNCTION relygate.guard_audit_ddl() RESET search_path $$),
    'relygate.guard_audit_ddl(): it was replaced or changed', '... a setting [validate-schema]');
SELECT is(test.findings_after($$ ALTER FUNCTION relygate.current_user_id() SET session_replication_role = replica $$),
    'relygate.current_user_id(): it was replaced or changed', '... one that the script does not have [validate-schema]');
SELECT is(test.findings_after($$ ALTER FUNCTION relygate.guard_audit_drop() OWNER TO relygate_owner $$),
    'relygate.guard_audit_drop(): it was replaced or changed', '... an owner [validate-schema]');
SELECT is(test.findings_after($$ ALTER EXTENSION relygate DROP FUNCTION relygate.refuse_audit_change() $$),
    'function relygate.refuse_audit_change: it is no longer the extension''s', 'a function taken out of the extension [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION relygate.loose() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1'; REVOKE ALL ON FUNCTION relygate.loose() FROM PUBLIC $$),
    'relygate.loose(): a SECURITY DEFINER function whose owner no policy holds', 'a definer function of a superuser [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM relygate.visits' $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... in another schema that reads our tables [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM relygate.visits; END $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... with a parsed body [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = relygate AS 'SELECT count(*) FROM visits' $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... by a search path [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN (SELECT count(*) FROM visits); END' $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... by the caller''s search path [validate-schema]');
SELECT is(test.findings_after($$ CREATE VIEW test.mine WITH (security_invoker = true) AS SELECT id FROM relygate.visits; CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = test AS 'SELECT count(*) FROM mine' $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... through a view [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM relygate.audit_log_2099_01'; ALTER FUNCTION test.loose() OWNER TO relygate_audit $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... of the audit''s owner, in a schema not ours [validate-schema]');
SELECT is(test.findings_after($$ CREATE ROLE v_bypass BYPASSRLS; CREATE ROLE v_member; GRANT v_bypass TO v_member; CREATE FUNCTION test.loose() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM relygate.visits'; ALTER FUNCTION test.loose() OWNER TO v_member $$),
    'test.loose(): a SECURITY DEFINER function whose owner no policy holds', '... of whoever becomes one that no policy holds [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.evil(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER FUNCTION test.evil(text) OWNER TO relygate_owner; ALTER TABLE relygate.purposes ADD CONSTRAINT evil CHECK (test.evil(name)) $$),
    'relygate.purposes: constraint evil calls test.evil(text), which is relygate_owner''s to change', 'a CHECK that its owner''s members may change [validate-schema, stored-code]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.evil(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER FUNCTION test.evil(text) OWNER TO relygate_owner; CREATE OPERATOR test.!!! (RIGHTARG = text, FUNCTION = test.evil); ALTER TABLE relygate.purposes ADD CONSTRAINT evil CHECK (OPERATOR(test.!!!) name) $$),
    'relygate.purposes: constraint evil calls test.evil(text), which is relygate_owner''s to change', '... by an operator [validate-schema, stored-code]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.evil(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER FUNCTION test.evil(text) OWNER TO relygate_owner; CREATE DOMAIN test.word AS text CHECK (test.evil(VALUE)); ALTER TABLE relygate.purposes ADD word test.word $$),
    'relygate.purposes: domain test.word calls test.evil(text), which is relygate_owner''s to change', '... by a domain [validate-schema, stored-code]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.evil(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER FUNCTION test.evil(text) OWNER TO relygate_owner; ALTER TABLE relygate.purposes ADD flag boolean DEFAULT test.evil('') $$),
    'relygate.purposes: column flag calls test.evil(text), which is relygate_owner''s to change', 'a default [validate-schema, stored-code]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.evil(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER FUNCTION test.evil(text) OWNER TO relygate_owner; CREATE INDEX evil ON relygate.purposes (tenant_id, test.evil(name)) $$),
    'relygate.purposes: index relygate.evil calls test.evil(text), which is relygate_owner''s to change', 'an index [validate-schema, stored-code]');
SELECT is(test.findings_after($$ CREATE FUNCTION test.evil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; ALTER FUNCTION test.evil() OWNER TO relygate_owner; CREATE TRIGGER evil BEFORE INSERT ON relygate.purposes FOR EACH ROW EXECUTE FUNCTION test.evil() $$),
    'relygate.purposes: trigger evil calls test.evil(), which is relygate_owner''s to change', 'a trigger [validate-schema, stored-code]');
SELECT is(test.findings_after($$ ALTER TABLE relygate.purposes ADD CONSTRAINT evil CHECK (query_to_xml('SELECT 1', true, true, '') IS NOT NULL) $$),
    'relygate.purposes: constraint evil calls query_to_xml(text,boolean,boolean,text), which may act', 'a CHECK that runs what it is told [validate-schema, stored-code]');
SELECT is(test.findings_after($$ ALTER FUNCTION relygate.find_tenant(text) RESET search_path $$),
    'relygate.find_tenant(text): a SECURITY DEFINER function without a fixed search_path', 'a search path [validate-schema]');
SELECT alike(test.findings_after($$ GRANT EXECUTE ON FUNCTION relygate.create_visit TO PUBLIC $$), 'relygate.create_visit(%): everybody may call this function', 'a function of PUBLIC [validate-schema]');
SELECT is(test.findings_after($$ ALTER VIEW relygate_report.visits SET (security_invoker = false) $$),
    'relygate_report.visits: a view with the rights of its owner', 'a view [validate-schema]');
SELECT is(test.findings_after($$ CREATE VIEW test.all_visits AS SELECT * FROM relygate.visits $$),
    'test.all_visits: a view with the rights of its owner', '... in another schema [validate-schema]');
SELECT is(test.findings_after($$ CREATE VIEW test.mine WITH (security_invoker = true) AS SELECT * FROM relygate_report.visits; CREATE VIEW test.all_visits AS SELECT * FROM test.mine $$),
    'test.all_visits: a view with the rights of its owner', '... over views [validate-schema]');
SELECT is(test.findings_after($$ CREATE VIEW test.log AS SELECT * FROM relygate.audit_log_2099_01 $$),
    'test.log: a view with the rights of its owner', '... over a partition [validate-schema]');
SELECT is(test.findings_after($$ CREATE MATERIALIZED VIEW test.kept AS SELECT id FROM relygate.visits $$),
    'test.kept: a materialized view', 'a materialized view, wherever [validate-schema]');
SELECT is(test.findings_after($$ CREATE MATERIALIZED VIEW test.kept AS SELECT * FROM relygate_report.visits $$),
    'test.kept: a materialized view', '... over a view [validate-schema]');
SELECT is(test.findings_after(format($$ CREATE ROLE v_login LOGIN; SELECT relygate.bind_role('v_login', %L); GRANT relygate_api TO v_login $$, :'north')),
    'role v_login: bound to a tenant, but it is a member of "relygate_api"', 'a bound login that gained a membership [validate-schema]');
SELECT is(test.findings_after($$ GRANT SET ON PARAMETER app.tenant_id TO relygate_reporting $$),
    'parameter app.tenant_id: SET is granted to relygate_reporting', 'a right to choose [validate-schema]');
SELECT is(test.findings_after($$ GRANT SET ON PARAMETER session_replication_role TO relygate_api $$),
    'parameter session_replication_role: SET is granted to relygate_api', 'a right to silence triggers [validate-schema]');
SELECT is(test.findings_after($$ ALTER ROLE relygate_api BYPASSRLS $$),
    'role relygate_api: a role of the product that no policy holds, or that may make roles', 'BYPASSRLS [validate-schema]');
SELECT is(test.findings_after($$ CREATE ROLE v_member; GRANT relygate_audit TO v_member $$),
    'role v_member: a member of relygate_audit', 'a member of the audit''s owner [validate-schema]');
SELECT is(test.findings_after($$ CREATE ROLE v_member; GRANT relygate_backup TO v_member $$),
    'role v_member: a member of relygate_backup', '... of the role of dumps [validate-schema]');
SELECT is(test.findings_after($$ GRANT pg_execute_server_program TO relygate_shim $$),
    'role relygate_shim: a member of pg_execute_server_program', 'what a role of the product was given [validate-schema]');
SELECT is(test.findings_after($$ CREATE ROLE v_bypass BYPASSRLS; GRANT v_bypass TO relygate_api $$),
    'role relygate_api: a member of v_bypass', '... a bypasser [validate-schema]');
SELECT is(test.findings_after($$ GRANT relygate_owner TO pg_read_all_data $$),
    'role pg_read_all_data: a member of relygate_owner', '... through another [validate-schema]');
SELECT is(test.findings_after($$ CREATE ROLE v_login LOGIN BYPASSRLS; GRANT relygate_reporting TO v_login $$),
    'role v_login: no policy holds it, and it may use the product''s schemas', 'a bypasser that may use the schemas [validate-schema]');
SELECT is(test.findings_after($$ CREATE ROLE v_super SUPERUSER; CREATE ROLE v_login LOGIN; CREATE ROLE v_step; GRANT v_super TO v_step; GRANT v_step TO v_login $$),
    'role v_login: no policy holds it once it is v_super|role v_step: no policy holds it once it is v_super', 'who becomes a superuser [validate-schema]');
SELECT is(test.findings_after($$ CREATE ROLE v_maker CREATEROLE $$),
    CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'role v_maker: with CREATEROLE it may make itself a member of every role of the product' ELSE '' END, 'who makes roles [validate-schema]');
SELECT is(test.findings_after($$ ALTER ROLE relygate_shim RESET relygate.context_lifetime $$),
    'role relygate_shim: a tenant that it chooses outlives the transaction', 'the lifetime of a choice [validate-schema]');
SELECT is(test.findings_after($$ ALTER ROLE relygate_shim IN DATABASE @ SET relygate.context_lifetime = 'session' $$),
    'role relygate_shim: a tenant that it chooses outlives the transaction', '... in this database [validate-schema]');
SELECT is(test.findings_after($$ ALTER DATABASE @ RESET session_preload_libraries $$), replace('database @: the library is not loaded with each session', '@', quote_ident(current_database())), 'the library [validate-schema]');
SELECT is(test.findings_after($$ GRANT TEMPORARY ON DATABASE @ TO PUBLIC $$), replace('database @: everybody may make temporary tables or schemas', '@', quote_ident(current_database())), 'TEMPORARY [validate-schema]');
SELECT is(test.findings_after($$ GRANT TEMPORARY ON DATABASE @ TO relygate_reporting $$),
    replace('database @: TEMPORARY is granted to relygate_reporting', '@', quote_ident(current_database())), '... of a role of the product [validate-schema]');
SELECT is(test.findings_after($$ GRANT SELECT ON pg_catalog.pg_db_role_setting TO PUBLIC $$),
    'pg_catalog.pg_db_role_setting: everybody may read which login belongs to which tenant', 'the bindings [validate-schema]');
SELECT is(test.findings_after($$ GRANT CREATE ON SCHEMA relygate TO PUBLIC $$),
    'schema relygate: everybody may create objects in it', 'CREATE [validate-schema]');
SELECT is(test.findings_after($$ GRANT CREATE ON SCHEMA relygate TO relygate_api $$),
    'schema relygate: CREATE is granted to relygate_api', '... in it by a role of the product [validate-schema]');
SELECT is(test.findings_after(format($$ CREATE ROLE v_group; CREATE ROLE v_login LOGIN; GRANT v_group TO v_login; SELECT relygate.bind_role('v_login', %L); GRANT CREATE ON SCHEMA public TO v_group $$, :'north')),
    'schema public: CREATE is granted to v_group', '... of a role of a bound login [validate-schema]');
SELECT is(test.findings_after($$ GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC $$),
    'pg_advisory_lock(bigint): everybody may call this function', 'advisory locks [validate-schema]');
SELECT is(test.findings_after($$ ALTER DEFAULT PRIVILEGES FOR ROLE relygate_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC $$),
    'role relygate_owner: everybody may call the functions that it makes', 'default privileges [validate-schema]');
SELECT is(test.findings_after($$ ALTER DEFAULT PRIVILEGES FOR ROLE relygate_owner IN SCHEMA relygate GRANT SELECT ON TABLES TO PUBLIC $$),
    'role relygate_owner: everybody may call the functions that it makes', '... in one schema [validate-schema]');
SELECT is(test.findings_after($$ INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only) VALUES ('GET', '/api/lunch', 'list_lunch', 'visits.read', 'list', true) $$),
    'route GET /api/lunch: function relygate.list_lunch is not there', 'a route without its function [validate-schema]');
SELECT is(test.findings_after($$ CREATE FUNCTION relygate.list_lunch() RETURNS SETOF text LANGUAGE sql AS 'SELECT ''rice'''; REVOKE ALL ON FUNCTION relygate.list_lunch() FROM PUBLIC; INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only) VALUES ('GET', '/api/lunch', 'list_lunch', 'signed_in', 'list', true) $$),
    'route GET /api/lunch: relygate_api may not call relygate.list_lunch', '... with one that nobody may call [validate-schema]');
SELECT is(test.findings_after($$ INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only) VALUES ('GET', '/api/lunch', 'list_visits', 'visit.read', 'list', true) $$),
    'route GET /api/lunch: no role has permission visit.read, which it asks for', '... with a permission that is mistyped [validate-schema]');
SELECT is(test.findings_after(format($$ SET LOCAL app.tenant_id = %L; INSERT INTO relygate.roles (name) VALUES ('Cook'); INSERT INTO relygate.role_permissions (role_id, permission) SELECT id, 'lunch.read' FROM relygate.roles WHERE name = 'Cook'; INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, read_only) VALUES ('GET', '/api/lunch', 'list_visits', 'lunch.read', 'list', true) $$, :'north')),
    '', '... but not with one of its own that a role has');
SELECT is(test.findings_after($$ ALTER EVENT TRIGGER relygate_guard_drop ENABLE; DROP EVENT TRIGGER relygate_guard_ddl $$),
    'event trigger relygate_guard_ddl: missing or disabled', 'a guard that is gone [validate-schema]');
SELECT is(test.findings_after($$ ALTER EVENT TRIGGER relygate_guard_ddl ENABLE; ALTER EVENT TRIGGER relygate_guard_drop DISABLE $$),
    'event trigger relygate_guard_drop: missing or disabled', 'a guard that sleeps [validate-schema]');
SELECT is(test.findings_after($$ ALTER EVENT TRIGGER relygate_guard_drop ENABLE; DROP EVENT TRIGGER relygate_guard_ddl; CREATE FUNCTION test.nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER relygate_guard_ddl ON ddl_command_end EXECUTE FUNCTION test.nothing() $$),
    'event trigger relygate_guard_ddl: it runs another function, or for fewer commands', 'a guard that does something else [validate-schema]');
SELECT is(test.findings_after($$ ALTER EVENT TRIGGER relygate_guard_drop ENABLE; DROP EVENT TRIGGER relygate_guard_ddl; CREATE EVENT TRIGGER relygate_guard_ddl ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'ALTER POLICY', 'CREATE POLICY', 'CREATE TRIGGER', 'ALTER TRIGGER', 'CREATE RULE', 'CREATE TABLE') EXECUTE FUNCTION relygate.guard_ddl() $$),
    'event trigger relygate_guard_ddl: it runs another function, or for fewer commands', '... for fewer commands [validate-schema]');
SELECT is(test.findings_after($$ ALTER EVENT TRIGGER relygate_guard_drop ENABLE; ALTER EVENT TRIGGER relygate_guard_ddl ENABLE; DROP EVENT TRIGGER relygate_guard_audit_drop; CREATE EVENT TRIGGER relygate_guard_audit_drop ON sql_drop WHEN TAG IN ('DROP VIEW') EXECUTE FUNCTION relygate.guard_audit_drop(); ALTER EVENT TRIGGER relygate_guard_audit_drop ENABLE ALWAYS $$),
    'event trigger relygate_guard_audit_drop: it runs another function, or for fewer commands', '... the audit''s [validate-schema]');

SELECT * FROM finish();
ROLLBACK;
