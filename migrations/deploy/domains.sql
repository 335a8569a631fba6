-- Deploy relygate:domains to pg
-- requires: schemas
-- extension: 1.0.0
--
-- Types of columns. Their rules are functions of the extension, so a DBA's UPDATE meets the same ones as a request. Ordinary
-- domains, not members of the extension: DROP EXTENSION ... CASCADE takes their CHECK away, never a column. A CHECK runs before
-- the triggers, so it takes every form that the trigger then normalises by the tenant's country; it reads no table.
-- States and kinds are text: under row-level security an enum can't use an index (its operators are not leakproof).

BEGIN;

CREATE DOMAIN relygate.code AS text COLLATE "C" CHECK (relygate.is_code(VALUE));
COMMENT ON DOMAIN relygate.code IS '2 to 50 of A-Z 0-9 _';
CREATE DOMAIN relygate.user_name AS text COLLATE "C" CHECK (relygate.is_user_name(VALUE));
COMMENT ON DOMAIN relygate.user_name IS '3 to 50 of A-Z a-z 0-9 _ . -';
CREATE DOMAIN relygate.person_name AS text CHECK (relygate.is_person_name(VALUE));
COMMENT ON DOMAIN relygate.person_name IS 'A first or last name of a person in any script, 1 to 100 characters.';
CREATE DOMAIN relygate.mobile AS text COLLATE "C" CHECK (relygate.is_mobile(VALUE));
COMMENT ON DOMAIN relygate.mobile IS 'A mobile number, stored as E.164.';
CREATE DOMAIN relygate.email_address AS text COLLATE "C" CHECK (relygate.is_email(VALUE));
COMMENT ON DOMAIN relygate.email_address IS 'An e-mail address; its domain part is stored in lower case.';
CREATE DOMAIN relygate.vehicle_number AS text COLLATE "C" CHECK (relygate.is_vehicle_number(VALUE));
COMMENT ON DOMAIN relygate.vehicle_number IS 'A registration mark, stored in upper case without blanks and hyphens.';
CREATE DOMAIN relygate.label AS text CHECK (relygate.is_label(VALUE));
COMMENT ON DOMAIN relygate.label IS 'A name of a thing on one line, 1 to 250 characters.';
CREATE DOMAIN relygate.remark AS text CHECK (relygate.is_remark(VALUE));
COMMENT ON DOMAIN relygate.remark IS 'Free text, 1 to 500 characters.';
CREATE DOMAIN relygate.time_zone AS text COLLATE "C" CHECK (relygate.is_time_zone(VALUE));
COMMENT ON DOMAIN relygate.time_zone IS 'A name of the IANA time zone database; no abbreviation, no offset.';
CREATE DOMAIN relygate.country AS text COLLATE "C" CHECK (relygate.is_country(VALUE));
COMMENT ON DOMAIN relygate.country IS 'An ISO 3166-1 country code of two letters.';
CREATE DOMAIN relygate.document_type AS text COLLATE "C" CHECK (relygate.is_document_type(VALUE));
COMMENT ON DOMAIN relygate.document_type IS 'Kind of identity document.';
CREATE DOMAIN relygate.group_size AS int CHECK (VALUE BETWEEN 1 AND 1000);
COMMENT ON DOMAIN relygate.group_size IS 'How many people come together, 1 to 1000.';

CREATE DOMAIN relygate.tenant_kind AS text COLLATE "C" CHECK (relygate.is_tenant_kind(VALUE));
COMMENT ON DOMAIN relygate.tenant_kind IS 'What kind of organisation a tenant is.';
CREATE DOMAIN relygate.tenant_state AS text COLLATE "C" CHECK (relygate.is_tenant_state(VALUE));
COMMENT ON DOMAIN relygate.tenant_state IS 'active or suspended.';
CREATE DOMAIN relygate.location_kind AS text COLLATE "C" CHECK (relygate.is_location_kind(VALUE));
COMMENT ON DOMAIN relygate.location_kind IS 'building, floor or unit.';
CREATE DOMAIN relygate.gate_direction AS text COLLATE "C" CHECK (relygate.is_gate_direction(VALUE));
COMMENT ON DOMAIN relygate.gate_direction IS 'in, out or both.';
CREATE DOMAIN relygate.host_kind AS text COLLATE "C" CHECK (relygate.is_host_kind(VALUE));
COMMENT ON DOMAIN relygate.host_kind IS 'resident or employee.';
CREATE DOMAIN relygate.purpose_kind AS text COLLATE "C" CHECK (relygate.is_purpose_kind(VALUE));
COMMENT ON DOMAIN relygate.purpose_kind IS 'What a purpose is for: visit, gate_pass, student, staff or vehicle.';
CREATE DOMAIN relygate.visitor_type AS text COLLATE "C" CHECK (relygate.is_visitor_type(VALUE));
COMMENT ON DOMAIN relygate.visitor_type IS 'registered or unregistered.';
CREATE DOMAIN relygate.visit_state AS text COLLATE "C" CHECK (relygate.is_visit_state(VALUE));
COMMENT ON DOMAIN relygate.visit_state IS 'pending, checked_in, checked_out, refused, cancelled or expired.';

COMMIT;
