-- Input domains: they name, in signatures, which rule of core a parameter follows, so that the dispatcher's binder finds
-- rule or word list by type (core/validation/input_rule.cpp). A DBA's direct call meets the same rule in the CHECK, where it can be
-- judged without more: what the country or another parameter decides (mobile, vehicle, document number) and what has several
-- names (names, labels, moments) the functions normalise. They are never the type of a column: columns have the migrations' domains, and
-- DROP EXTENSION would take a column of one of these along.

CREATE FUNCTION @extschema@.meets_input_rule(domain text, value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_meets_input_rule';
COMMENT ON FUNCTION @extschema@.meets_input_rule(text, text) IS
'True, or RG400 with the member that parameters of this input domain are called and the words that are known. Callers: the CHECKs.';
REVOKE ALL ON FUNCTION @extschema@.meets_input_rule(text, text) FROM PUBLIC;

CREATE DOMAIN @extschema@.mobile_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.mobile_input IS 'A mobile number as people write it; stored as E.164 by the tenant''s country.';
CREATE DOMAIN @extschema@.person_name_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.person_name_input IS 'A first or last name, 1 to 100 characters.';
CREATE DOMAIN @extschema@.email_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.email_input IS 'An e-mail address; the domain part is stored in lower case.';
CREATE DOMAIN @extschema@.vehicle_number_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.vehicle_number_input IS 'A vehicle''s registration mark; stored in upper case without blanks and hyphens.';
CREATE DOMAIN @extschema@.document_type_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('document_type_input', VALUE));
COMMENT ON DOMAIN @extschema@.document_type_input IS 'Kind of identity document: aadhaar, pan, passport, driving_licence, voter_id, employee_id, student_id.';
CREATE DOMAIN @extschema@.document_number_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.document_number_input IS 'The number of an identity document; checked by its type, never echoed.';
CREATE DOMAIN @extschema@.user_name_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('user_name_input', VALUE));
COMMENT ON DOMAIN @extschema@.user_name_input IS '3 to 50 of A-Z a-z 0-9 _ . -';
CREATE DOMAIN @extschema@.code_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('code_input', VALUE));
COMMENT ON DOMAIN @extschema@.code_input IS '2 to 50 of A-Z 0-9 _';
CREATE DOMAIN @extschema@.label_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.label_input IS '1 to 250 characters on one line.';
CREATE DOMAIN @extschema@.remark_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.remark_input IS '1 to 500 characters.';
CREATE DOMAIN @extschema@.password_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.password_input IS 'A new password; see check_password.';
CREATE DOMAIN @extschema@.time_zone_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('time_zone_input', VALUE));
COMMENT ON DOMAIN @extschema@.time_zone_input IS 'A name of the IANA time zone database.';
CREATE DOMAIN @extschema@.country_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('country_input', VALUE));
COMMENT ON DOMAIN @extschema@.country_input IS 'An ISO 3166-1 country code of two letters.';
CREATE DOMAIN @extschema@.visit_state_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('visit_state_input', VALUE));
COMMENT ON DOMAIN @extschema@.visit_state_input IS 'A state of a visit.';
CREATE DOMAIN @extschema@.visitor_type_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('visitor_type_input', VALUE));
COMMENT ON DOMAIN @extschema@.visitor_type_input IS 'registered or unregistered.';
CREATE DOMAIN @extschema@.tenant_kind_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('tenant_kind_input', VALUE));
COMMENT ON DOMAIN @extschema@.tenant_kind_input IS 'What kind of organisation a tenant is.';
CREATE DOMAIN @extschema@.tenant_state_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('tenant_state_input', VALUE));
COMMENT ON DOMAIN @extschema@.tenant_state_input IS 'active or suspended.';
CREATE DOMAIN @extschema@.purpose_kind_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('purpose_kind_input', VALUE));
COMMENT ON DOMAIN @extschema@.purpose_kind_input IS 'What a purpose is for.';
CREATE DOMAIN @extschema@.gate_direction_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('gate_direction_input', VALUE));
COMMENT ON DOMAIN @extschema@.gate_direction_input IS 'in, out or both.';
CREATE DOMAIN @extschema@.location_kind_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('location_kind_input', VALUE));
COMMENT ON DOMAIN @extschema@.location_kind_input IS 'building, floor or unit.';
CREATE DOMAIN @extschema@.host_kind_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('host_kind_input', VALUE));
COMMENT ON DOMAIN @extschema@.host_kind_input IS 'resident or employee.';
CREATE DOMAIN @extschema@.moment_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.moment_input IS 'A date (a day of the site) or an RFC 3339 instant with offset.';
CREATE DOMAIN @extschema@.group_size_input AS pg_catalog.int4
    CHECK (@extschema@.meets_input_rule('group_size_input', VALUE::pg_catalog.text));
COMMENT ON DOMAIN @extschema@.group_size_input IS 'How many people come together, 1 to 1000.';
CREATE DOMAIN @extschema@.capacity_input AS pg_catalog.int4
    CHECK (@extschema@.meets_input_rule('capacity_input', VALUE::pg_catalog.text));
COMMENT ON DOMAIN @extschema@.capacity_input IS 'How many people may be inside at once, 1 to 1000000.';
CREATE DOMAIN @extschema@.position_input AS pg_catalog.int4
    CHECK (@extschema@.meets_input_rule('position_input', VALUE::pg_catalog.text));
COMMENT ON DOMAIN @extschema@.position_input IS 'A place in an order, 0 to 1000000.';
CREATE DOMAIN @extschema@.search_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('search_input', VALUE));
COMMENT ON DOMAIN @extschema@.search_input IS 'What to look for, up to 200 characters.';
CREATE DOMAIN @extschema@.visit_sort_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('visit_sort_input', VALUE));
COMMENT ON DOMAIN @extschema@.visit_sort_input IS 'requestedAt, checkedInAt or checkedOutAt; a - in front turns the order round.';
CREATE DOMAIN @extschema@.name_sort_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('name_sort_input', VALUE));
COMMENT ON DOMAIN @extschema@.name_sort_input IS 'name or createdAt; a - in front turns the order round.';
CREATE DOMAIN @extschema@.host_sort_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('host_sort_input', VALUE));
COMMENT ON DOMAIN @extschema@.host_sort_input IS 'firstName, name or createdAt; a - in front turns the order round.';
CREATE DOMAIN @extschema@.user_sort_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('user_sort_input', VALUE));
COMMENT ON DOMAIN @extschema@.user_sort_input IS 'userName or createdAt; a - in front turns the order round.';
CREATE DOMAIN @extschema@.vocabulary_sort_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('vocabulary_sort_input', VALUE));
COMMENT ON DOMAIN @extschema@.vocabulary_sort_input IS 'position, name or createdAt; a - in front turns the order round.';
CREATE DOMAIN @extschema@.audit_sort_input AS pg_catalog.text
    CHECK (@extschema@.meets_input_rule('audit_sort_input', VALUE));
COMMENT ON DOMAIN @extschema@.audit_sort_input IS 'occurredAt; a - in front turns the order round.';
