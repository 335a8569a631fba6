-- Revert relygate:rights_cache from pg

BEGIN;

DROP TRIGGER rights ON relygate.tenants;
DROP TRIGGER rights ON relygate.users;
DROP TRIGGER rights ON relygate.sessions;
DROP TRIGGER rights ON relygate.roles;
DROP TRIGGER rights ON relygate.role_permissions;
DROP TABLE relygate_global.rights_changes;

COMMIT;
