-- Revert relygate:platform_functions from pg

BEGIN;

DROP FUNCTION relygate.rotate_signing_key(text, boolean);
DROP FUNCTION relygate.keyed_hash(text, text);
DROP FUNCTION relygate.sign_token(uuid, uuid, text);
DROP FUNCTION relygate.insert_tenant(uuid, text, text, text, text, text, boolean);
DROP FUNCTION relygate.list_tenants();
DROP FUNCTION relygate.find_tenant(text);
REVOKE ALL ON relygate.tenants FROM relygate_platform;

COMMIT;
