-- Revert relygate:domains from pg

BEGIN;

DROP DOMAIN relygate.visit_state;
DROP DOMAIN relygate.visitor_type;
DROP DOMAIN relygate.purpose_kind;
DROP DOMAIN relygate.host_kind;
DROP DOMAIN relygate.gate_direction;
DROP DOMAIN relygate.location_kind;
DROP DOMAIN relygate.tenant_state;
DROP DOMAIN relygate.tenant_kind;
DROP DOMAIN relygate.group_size;
DROP DOMAIN relygate.document_type;
DROP DOMAIN relygate.country;
DROP DOMAIN relygate.time_zone;
DROP DOMAIN relygate.remark;
DROP DOMAIN relygate.label;
DROP DOMAIN relygate.vehicle_number;
DROP DOMAIN relygate.email_address;
DROP DOMAIN relygate.mobile;
DROP DOMAIN relygate.person_name;
DROP DOMAIN relygate.user_name;
DROP DOMAIN relygate.code;

COMMIT;
