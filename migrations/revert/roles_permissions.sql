-- Revert relygate:roles_permissions from pg

BEGIN;

DROP TABLE relygate.role_permissions;
DROP TABLE relygate.roles;

COMMIT;
