-- Deploy relygate:rights_cache to pg
-- requires: users sessions roles_permissions
-- extension: 1.1.0
--
-- Backends keep what a request may do (extension/pg/api/rights.cpp) until a row that it came from changes. The triggers tell them
-- by the relcache entry of an empty table: nobody reads it, so no plan is thrown away with it. ALWAYS: also who writes with
-- session_replication_role = replica must be heard.

BEGIN;

CREATE TABLE relygate_global.rights_changes ();
COMMENT ON TABLE relygate_global.rights_changes IS 'Empty. Its entry in the caches of backends stands for the rights of all users.';
ALTER TABLE relygate_global.rights_changes OWNER TO relygate_owner;
REVOKE ALL ON relygate_global.rights_changes FROM PUBLIC;

CREATE TRIGGER rights AFTER UPDATE OR DELETE ON relygate.tenants
    FOR EACH ROW EXECUTE FUNCTION relygate.rights_changed('id', 'state', 'country', 'is_operator');
CREATE TRIGGER rights AFTER UPDATE OR DELETE ON relygate.users
    FOR EACH ROW EXECUTE FUNCTION relygate.rights_changed('tenant_id', 'id', 'is_active', 'role_id');
CREATE TRIGGER rights AFTER UPDATE OR DELETE ON relygate.sessions
    FOR EACH ROW EXECUTE FUNCTION relygate.rights_changed('tenant_id', 'id', 'user_id', 'revoked_at', 'expires_at');
CREATE TRIGGER rights AFTER UPDATE OR DELETE ON relygate.roles
    FOR EACH ROW EXECUTE FUNCTION relygate.rights_changed('tenant_id', 'id', 'name', 'is_built_in');
CREATE TRIGGER rights AFTER INSERT OR UPDATE OR DELETE ON relygate.role_permissions
    FOR EACH ROW EXECUTE FUNCTION relygate.rights_changed();
ALTER TABLE relygate.tenants ENABLE ALWAYS TRIGGER rights;
ALTER TABLE relygate.users ENABLE ALWAYS TRIGGER rights;
ALTER TABLE relygate.sessions ENABLE ALWAYS TRIGGER rights;
ALTER TABLE relygate.roles ENABLE ALWAYS TRIGGER rights;
ALTER TABLE relygate.role_permissions ENABLE ALWAYS TRIGGER rights;

COMMIT;
