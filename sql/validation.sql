-- Rules of core for SQL. normalize_* raise RG400 with code and member, is_* are for the CHECKs of the migrations' domains: a
-- CHECK does not know the tenant's country, so it takes what some country would; the trigger normalize_columns looks closer.

CREATE FUNCTION @extschema@.uuid_v7() RETURNS uuid
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_uuid_v7';
COMMENT ON FUNCTION @extschema@.uuid_v7() IS 'A new UUID of version 7 (RFC 9562): it begins with the time, so ids grow.';
REVOKE ALL ON FUNCTION @extschema@.uuid_v7() FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_mobile(mobile text, country text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_mobile';
COMMENT ON FUNCTION @extschema@.normalize_mobile(text, text) IS
'The mobile as E.164; country (ISO 3166-1) says what a number without calling code means. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_mobile(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_person_name(name text, field text DEFAULT 'first_name') RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_person_name';
COMMENT ON FUNCTION @extschema@.normalize_person_name(text, text) IS
'A name of a person, trimmed and composed (NFC); field is the parameter to blame. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_person_name(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_email(email text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_email';
COMMENT ON FUNCTION @extschema@.normalize_email(text) IS
'An e-mail address, trimmed, its domain in lower case. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_email(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_vehicle_number(vehicle_number text, country text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_vehicle_number';
COMMENT ON FUNCTION @extschema@.normalize_vehicle_number(text, text) IS
'A registration mark in upper case without blanks, hyphens and dots, by the rules of the country. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_vehicle_number(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_document_number(document_type text, document_number text,
    country text DEFAULT 'IN') RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_document_number';
COMMENT ON FUNCTION @extschema@.normalize_document_number(text, text, text) IS
'The number of an identity document as its keyed hash is made of it. Errors: RG400; none repeats the number.';
REVOKE ALL ON FUNCTION @extschema@.normalize_document_number(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.mask_document_number(document_type text, document_number text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_mask_document_number';
COMMENT ON FUNCTION @extschema@.mask_document_number(text, text) IS
'A normalised document number of which only the last characters are left to see.';
REVOKE ALL ON FUNCTION @extschema@.mask_document_number(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_label(label text, field text DEFAULT 'name') RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_label';
COMMENT ON FUNCTION @extschema@.normalize_label(text, text) IS
'A label on one line, 1 to 250 characters, trimmed and composed; field is the parameter to blame. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_label(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_remark(remark text, field text DEFAULT 'remark') RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_remark';
COMMENT ON FUNCTION @extschema@.normalize_remark(text, text) IS
'A remark, 1 to 500 characters, trimmed and composed; field is the parameter to blame. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_remark(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_user_name(user_name text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_user_name';
COMMENT ON FUNCTION @extschema@.normalize_user_name(text) IS
'A user name, trimmed: 3 to 50 of A-Z a-z 0-9 _ . - Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_user_name(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_code(code text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_code';
COMMENT ON FUNCTION @extschema@.normalize_code(text) IS
'A code in upper case: 2 to 50 of A-Z 0-9 _ Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_code(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_time_zone(time_zone text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_time_zone';
COMMENT ON FUNCTION @extschema@.normalize_time_zone(text) IS
'A name of the IANA time zone database as it is written there. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_time_zone(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_country(country text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_country';
COMMENT ON FUNCTION @extschema@.normalize_country(text) IS
'A country code of ISO 3166-1 in upper case. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_country(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_password(password text, user_name text, fewest_characters int DEFAULT 8) RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_check_password';
COMMENT ON FUNCTION @extschema@.check_password(text, text, int) IS
'Raises RG400 for a password that is too short, too simple, too common or the user name; else true.';
REVOKE ALL ON FUNCTION @extschema@.check_password(text, text, int) FROM PUBLIC;

CREATE FUNCTION @extschema@.fold_search(value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_fold_search';
COMMENT ON FUNCTION @extschema@.fold_search(text) IS
'The text as search compares it: NFKC, without case and invisible characters.';
REVOKE ALL ON FUNCTION @extschema@.fold_search(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_mobile(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_mobile';
COMMENT ON FUNCTION @extschema@.is_mobile(text) IS
'Whether the text can be a mobile number in some country.';
REVOKE ALL ON FUNCTION @extschema@.is_mobile(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_vehicle_number(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_vehicle_number';
COMMENT ON FUNCTION @extschema@.is_vehicle_number(text) IS
'Whether the text can be a registration mark in some country.';
REVOKE ALL ON FUNCTION @extschema@.is_vehicle_number(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_person_name(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_person_name';
COMMENT ON FUNCTION @extschema@.is_person_name(text) IS
'Whether the text is a name of a person.';
REVOKE ALL ON FUNCTION @extschema@.is_person_name(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_email(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_email';
COMMENT ON FUNCTION @extschema@.is_email(text) IS
'Whether the text is an e-mail address.';
REVOKE ALL ON FUNCTION @extschema@.is_email(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_label(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_label';
COMMENT ON FUNCTION @extschema@.is_label(text) IS
'Whether the text is a label of one line, up to 250 characters.';
REVOKE ALL ON FUNCTION @extschema@.is_label(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_remark(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_remark';
COMMENT ON FUNCTION @extschema@.is_remark(text) IS
'Whether the text is a remark of up to 500 characters.';
REVOKE ALL ON FUNCTION @extschema@.is_remark(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_user_name(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_user_name';
COMMENT ON FUNCTION @extschema@.is_user_name(text) IS
'Whether the text is a user name as it is stored.';
REVOKE ALL ON FUNCTION @extschema@.is_user_name(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_code(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_code';
COMMENT ON FUNCTION @extschema@.is_code(text) IS
'Whether the text is a code as it is stored.';
REVOKE ALL ON FUNCTION @extschema@.is_code(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_time_zone(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_time_zone';
COMMENT ON FUNCTION @extschema@.is_time_zone(text) IS
'Whether the text is a name of the IANA time zone database.';
REVOKE ALL ON FUNCTION @extschema@.is_time_zone(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_country(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_country';
COMMENT ON FUNCTION @extschema@.is_country(text) IS
'Whether the text is a country code of ISO 3166-1.';
REVOKE ALL ON FUNCTION @extschema@.is_country(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_document_type(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_document_type';
COMMENT ON FUNCTION @extschema@.is_document_type(text) IS
'Whether the word is a type of identity document.';
REVOKE ALL ON FUNCTION @extschema@.is_document_type(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_visit_state(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_visit_state';
COMMENT ON FUNCTION @extschema@.is_visit_state(text) IS
'Whether the word is a state of a visit.';
REVOKE ALL ON FUNCTION @extschema@.is_visit_state(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_visitor_type(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_visitor_type';
COMMENT ON FUNCTION @extschema@.is_visitor_type(text) IS
'Whether the word is registered or unregistered.';
REVOKE ALL ON FUNCTION @extschema@.is_visitor_type(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_tenant_kind(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_tenant_kind';
COMMENT ON FUNCTION @extschema@.is_tenant_kind(text) IS
'Whether the word is a kind of tenant.';
REVOKE ALL ON FUNCTION @extschema@.is_tenant_kind(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_tenant_state(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_tenant_state';
COMMENT ON FUNCTION @extschema@.is_tenant_state(text) IS
'Whether the word is active or suspended.';
REVOKE ALL ON FUNCTION @extschema@.is_tenant_state(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_purpose_kind(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_purpose_kind';
COMMENT ON FUNCTION @extschema@.is_purpose_kind(text) IS
'Whether the word is a kind of purpose.';
REVOKE ALL ON FUNCTION @extschema@.is_purpose_kind(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_gate_direction(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_gate_direction';
COMMENT ON FUNCTION @extschema@.is_gate_direction(text) IS
'Whether the word is in, out or both.';
REVOKE ALL ON FUNCTION @extschema@.is_gate_direction(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_location_kind(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_location_kind';
COMMENT ON FUNCTION @extschema@.is_location_kind(text) IS
'Whether the word is building, floor or unit.';
REVOKE ALL ON FUNCTION @extschema@.is_location_kind(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.is_host_kind(value text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_is_host_kind';
COMMENT ON FUNCTION @extschema@.is_host_kind(text) IS
'Whether the word is resident or employee.';
REVOKE ALL ON FUNCTION @extschema@.is_host_kind(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_columns() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_columns';
COMMENT ON FUNCTION @extschema@.normalize_columns() IS
'Normalises columns before they are written; arguments as mobile=mobile or search_name=fold:first_name,last_name. '
'The country is that of the row''s tenant.';
REVOKE ALL ON FUNCTION @extschema@.normalize_columns() FROM PUBLIC;

CREATE FUNCTION @extschema@.touch_row() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'relygate_touch_row';
COMMENT ON FUNCTION @extschema@.touch_row() IS
'Keeps created_at, created_by, updated_at and updated_by by the context of the request.';
REVOKE ALL ON FUNCTION @extschema@.touch_row() FROM PUBLIC;

CREATE FUNCTION @extschema@.visit_state_change() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'relygate_visit_state_change';
COMMENT ON FUNCTION @extschema@.visit_state_change() IS
'Refuses wrong transitions of a visit (RG409, visit_state) and sets times and users of check-in and check-out.';
REVOKE ALL ON FUNCTION @extschema@.visit_state_change() FROM PUBLIC;
