-- Tenant isolation: the context that policies ask for, the policies themselves, the guard that keeps them, the binding of
-- logins, and the grants. Nothing here is SECURITY DEFINER: members of an extension belong to its installing superuser, whom
-- no policy holds.

CREATE FUNCTION @extschema@.version() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_version';
COMMENT ON FUNCTION @extschema@.version() IS 'The version of the loaded library.';
REVOKE ALL ON FUNCTION @extschema@.version() FROM PUBLIC;

-- STABLE and never IMMUTABLE: a cached plan would keep one tenant's id as a constant. RESTRICTED: the leader answers.
CREATE FUNCTION @extschema@.current_tenant() RETURNS uuid
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_current_tenant';
COMMENT ON FUNCTION @extschema@.current_tenant() IS
'The tenant of this transaction (app.tenant_id). Errors: RG401 none; RG500 set outside of this transaction or by configuration; '
'42501 the login may not choose a tenant; 25001 the transaction already works for another tenant.';
REVOKE ALL ON FUNCTION @extschema@.current_tenant() FROM PUBLIC;

CREATE FUNCTION @extschema@.current_user_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_current_user_id';
COMMENT ON FUNCTION @extschema@.current_user_id() IS
'The user of this request (app.user_id), NULL where there is none. Errors: as current_tenant, but for RG401.';
REVOKE ALL ON FUNCTION @extschema@.current_user_id() FROM PUBLIC;
