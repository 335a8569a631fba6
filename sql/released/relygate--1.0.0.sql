-- Extension relygate: functions, types and the route catalogue. Tables, policies and grants come from migrations/.
-- Every function is revoked from PUBLIC here; relygate.grant_functions(), called by the migrations, grants them.
\echo Use "CREATE EXTENSION relygate" to load this file. \quit
-- Input domains: they only name, in signatures, which rule of core a parameter follows, so that the dispatcher's binder finds
-- rule or word list by type (core/validation/input_rule.cpp). They carry no CHECK and are never the type of a column: columns
-- have the migrations' domains, and DROP EXTENSION would take a column of one of these along.
CREATE DOMAIN @extschema@.mobile_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.mobile_input IS 'A mobile number as people write it; stored as E.164 by the tenant''s country.';
CREATE DOMAIN @extschema@.person_name_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.person_name_input IS 'A first or last name, 1 to 100 characters.';
CREATE DOMAIN @extschema@.email_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.email_input IS 'An e-mail address; the domain part is stored in lower case.';
CREATE DOMAIN @extschema@.vehicle_number_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.vehicle_number_input IS 'A vehicle''s registration mark; stored in upper case without blanks and hyphens.';
CREATE DOMAIN @extschema@.document_type_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.document_type_input IS 'Kind of identity document: aadhaar, pan, passport, driving_licence, voter_id, employee_id, student_id.';
CREATE DOMAIN @extschema@.document_number_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.document_number_input IS 'The number of an identity document; checked by its type, never echoed.';
CREATE DOMAIN @extschema@.user_name_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.user_name_input IS '3 to 50 of A-Z a-z 0-9 _ . -';
CREATE DOMAIN @extschema@.code_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.code_input IS '2 to 50 of A-Z 0-9 _';
CREATE DOMAIN @extschema@.label_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.label_input IS '1 to 250 characters on one line.';
CREATE DOMAIN @extschema@.remark_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.remark_input IS '1 to 500 characters.';
CREATE DOMAIN @extschema@.password_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.password_input IS 'A new password; see check_password.';
CREATE DOMAIN @extschema@.time_zone_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.time_zone_input IS 'A name of the IANA time zone database.';
CREATE DOMAIN @extschema@.country_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.country_input IS 'An ISO 3166-1 country code of two letters.';
CREATE DOMAIN @extschema@.visit_state_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.visit_state_input IS 'A state of a visit.';
CREATE DOMAIN @extschema@.visitor_type_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.visitor_type_input IS 'registered or unregistered.';
CREATE DOMAIN @extschema@.tenant_kind_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.tenant_kind_input IS 'What kind of organisation a tenant is.';
CREATE DOMAIN @extschema@.tenant_state_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.tenant_state_input IS 'active or suspended.';
CREATE DOMAIN @extschema@.purpose_kind_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.purpose_kind_input IS 'What a purpose is for.';
CREATE DOMAIN @extschema@.gate_direction_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.gate_direction_input IS 'in, out or both.';
CREATE DOMAIN @extschema@.location_kind_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.location_kind_input IS 'building, floor or unit.';
CREATE DOMAIN @extschema@.host_kind_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.host_kind_input IS 'resident or employee.';
CREATE DOMAIN @extschema@.moment_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.moment_input IS 'A date (a day of the site) or an RFC 3339 instant with offset.';
CREATE DOMAIN @extschema@.group_size_input AS pg_catalog.int4;
COMMENT ON DOMAIN @extschema@.group_size_input IS 'How many people come together, 1 to 1000.';
CREATE DOMAIN @extschema@.search_input AS pg_catalog.text;
COMMENT ON DOMAIN @extschema@.search_input IS 'What to look for, up to 200 characters.';
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

CREATE FUNCTION @extschema@.normalize_person_name(name text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_person_name';
COMMENT ON FUNCTION @extschema@.normalize_person_name(text) IS
'A name of a person, trimmed and composed (NFC). Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_person_name(text) FROM PUBLIC;

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

CREATE FUNCTION @extschema@.normalize_label(label text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_label';
COMMENT ON FUNCTION @extschema@.normalize_label(text) IS
'A label on one line, 1 to 250 characters, trimmed and composed. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_label(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.normalize_remark(remark text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_normalize_remark';
COMMENT ON FUNCTION @extschema@.normalize_remark(text) IS
'A remark, 1 to 500 characters, trimmed and composed. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.normalize_remark(text) FROM PUBLIC;

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
-- Policies of a tenant table, the guard that keeps them, and the list of what is wrong. A table is protected from the moment
-- it has the trigger relygate_no_truncate, which protect_table makes last: a half-made table can still be mended.

CREATE FUNCTION @extschema@.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'table "%" cannot be truncated', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'TRUNCATE knows no tenant: delete the rows of each tenant.';
END $$;
COMMENT ON FUNCTION @extschema@.refuse_truncate() IS
'Trigger relygate_no_truncate of every protected table; its argument is the column of the tenant.';
REVOKE ALL ON FUNCTION @extschema@.refuse_truncate() FROM PUBLIC;

CREATE FUNCTION @extschema@.protection_defects(target regclass) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'relygate_protection_defects';
COMMENT ON FUNCTION @extschema@.protection_defects(regclass) IS
'What a protected table lacks, NULL if nothing: row-level security enabled and forced, both policies word by word, enabled triggers.';
REVOKE ALL ON FUNCTION @extschema@.protection_defects(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@.protect_table(target regclass, tenant_column name DEFAULT 'tenant_id') RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- The table of tenants alone is protected by its own key; relygate_platform finds a tenant there before a context can be.
    exception_of_tenants CONSTANT text :=
        CASE WHEN protect_table.tenant_column = 'id' THEN $x$current_user = 'relygate_platform' OR $x$ ELSE '' END;
    known CONSTANT text := exception_of_tenants || '(SELECT @extschema@.current_tenant()) IS NOT NULL';
    own CONSTANT text := exception_of_tenants || format('%I = (SELECT @extschema@.current_tenant())', protect_table.tenant_column);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = protect_table.target AND a.attname = protect_table.tenant_column
                      AND a.atttypid = 'uuid'::regtype AND a.attnotnull AND NOT a.attisdropped) THEN
        RAISE EXCEPTION 'column "%" of table % must be a uuid NOT NULL', protect_table.tenant_column, protect_table.target
            USING ERRCODE = 'invalid_table_definition', DETAIL = 'Rows without a tenant are seen by nobody and block nothing.';
    END IF;
    EXECUTE format('DROP TRIGGER IF EXISTS relygate_no_truncate ON %s', protect_table.target);
    EXECUTE format('DROP POLICY IF EXISTS base ON %s', protect_table.target);
    EXECUTE format('DROP POLICY IF EXISTS tenant ON %s', protect_table.target);
    -- base names the extension: USING (true) would outlive DROP EXTENSION ... CASCADE and show all rows to everybody.
    EXECUTE format('CREATE POLICY base ON %s USING (%s)', protect_table.target, known);
    -- Restrictive: permissive policies are OR-ed, one more would open the table.
    EXECUTE format('CREATE POLICY tenant ON %1$s AS RESTRICTIVE USING (%2$s) WITH CHECK (%2$s)', protect_table.target, own);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', protect_table.target);
    EXECUTE format('CREATE TRIGGER relygate_no_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION @extschema@.refuse_truncate(%L)', protect_table.target, protect_table.tenant_column);
END $$;
COMMENT ON FUNCTION @extschema@.protect_table(regclass, name) IS
'Makes a table a tenant''s: two policies on its tenant column, row-level security enabled and forced, no TRUNCATE. Called by the '
'table''s owner after the table is complete. To mend a protected table, disable the event triggers relygate_guard_* first.';
REVOKE ALL ON FUNCTION @extschema@.protect_table(regclass, name) FROM PUBLIC;

-- The event triggers themselves come from the migration guard. search_path: policies are compared as text, which names
-- schemas according to it.
CREATE FUNCTION @extschema@.guard_ddl() RETURNS event_trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'relygate_guard_ddl';
COMMENT ON FUNCTION @extschema@.guard_ddl() IS 'Refuses (42501) a command that leaves a protected table with a defect.';
REVOKE ALL ON FUNCTION @extschema@.guard_ddl() FROM PUBLIC;

CREATE FUNCTION @extschema@.guard_drop() RETURNS event_trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'relygate_guard_drop';
COMMENT ON FUNCTION @extschema@.guard_drop() IS 'Refuses (42501) to drop a policy or trigger that protects a table which stays.';
REVOKE ALL ON FUNCTION @extschema@.guard_drop() FROM PUBLIC;
-- What is wrong with the protection of this database, one row a finding. Migrations verify with it and a DBA runs it after
-- changes of his own. The guard refuses the worst of these at once; here is also what it cannot see.

CREATE TYPE @extschema@.schema_finding AS (object text, finding text, advice text);
COMMENT ON TYPE @extschema@.schema_finding IS 'One finding of validate_schema().';

CREATE FUNCTION @extschema@.validate_schema() RETURNS SETOF @extschema@.schema_finding
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- Ordinary tables of schema relygate: all are a tenant's. Members of the extension hold no tenant's data; partitions are
    -- looked at apart.
    tables CONSTANT oid[] := ARRAY(
        SELECT c.oid FROM pg_class c WHERE c.relnamespace = '@extschema@'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'));
    schemas CONSTANT oid[] := ARRAY(
        SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ('@extschema@', 'relygate_report', 'relygate_global'));
    protected CONSTANT oid[] := ARRAY(
        SELECT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = '@extschema@.refuse_truncate()'::regprocedure);
BEGIN
    -- Tables
    RETURN QUERY SELECT c.oid::regclass::text, 'the table is not protected',
                        format('SELECT relygate.protect_table(%L);', c.oid::regclass)
                   FROM pg_class c WHERE c.oid = ANY (tables) AND c.oid <> ALL (protected);
    RETURN QUERY SELECT c.oid::regclass::text, d.defects, 'Disable the event triggers relygate_guard_*, mend the table, enable them.'
                   FROM pg_class c CROSS JOIN LATERAL (SELECT @extschema@.protection_defects(c.oid)) AS d (defects)
                  WHERE c.oid = ANY (protected) AND d.defects IS NOT NULL;
    RETURN QUERY SELECT format('%s.%I', c.oid::regclass, p.polname), 'a policy of its own on a protected table',
                        'Drop it: only base and tenant are needed.'
                   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                  WHERE c.oid = ANY (protected) AND p.polname NOT IN ('base', 'tenant');
    RETURN QUERY SELECT i.inhrelid::regclass::text, 'a partition can be read past the policies of its table',
                        'Enable and force row-level security on it, give it no policy and revoke all rights on it.'
                   FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                  WHERE i.inhparent = ANY (protected)
                    AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity
                         OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
                         OR EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner));
    RETURN QUERY SELECT c.oid::regclass::text, format('%s is granted to %s', a.privilege_type,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        format('REVOKE %s ON %s FROM %s;', a.privilege_type, c.oid::regclass,
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
                   FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
                  WHERE c.oid = ANY (protected) AND a.grantee <> c.relowner
                    AND (a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') OR a.grantee = 0);

    -- Keys: without the tenant they tell what another tenant has. The table of tenants has no tenant but itself.
    RETURN QUERY SELECT i.indexrelid::regclass::text, 'a key does not begin with tenant_id',
                        'Make it (tenant_id, ...): else its violations tell of other tenants'' rows.'
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'tenant_id' AND NOT a.attisdropped
                  WHERE i.indrelid = ANY (tables) AND (i.indisunique OR i.indisexclusion) AND i.indkey[0] <> a.attnum;
    RETURN QUERY SELECT format('%s.%I', k.conrelid::regclass, k.conname), 'a foreign key does not carry tenant_id',
                        'Make it FOREIGN KEY (tenant_id, ...): else a row can name another tenant''s.'
                   FROM pg_constraint k
                  WHERE k.contype = 'f' AND k.conrelid = ANY (tables) AND k.confrelid = ANY (tables) AND k.conparentid = 0
                    AND NOT EXISTS (
                        SELECT FROM generate_subscripts(k.conkey, 1) AS n
                          JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = k.conkey[n] AND f.attname = 'tenant_id'
                          JOIN pg_attribute t ON t.attrelid = k.confrelid AND t.attnum = k.confkey[n]
                           AND t.attname = CASE WHEN k.confrelid = to_regclass('@extschema@.tenants') THEN 'id' ELSE 'tenant_id' END);
    RETURN QUERY SELECT DISTINCT format('%s.%I', a.attrelid::regclass, a.attname), format('an index over type %s', format_type(t.oid, NULL)),
                        'Its operators are not leakproof, so no index condition is made of them under row-level security.'
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                   JOIN pg_type d ON d.oid = a.atttypid
                   JOIN pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
                  WHERE i.indrelid = ANY (tables) AND (t.typtype = 'e' OR t.oid = 'numeric'::regtype);

    -- Code with other rights
    RETURN QUERY SELECT p.oid::regprocedure::text, 'a SECURITY DEFINER function whose owner no policy holds',
                        'Give it to relygate_platform or relygate_audit.'
                   FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
                  WHERE p.pronamespace = ANY (schemas) AND p.prosecdef AND (r.rolsuper OR r.rolbypassrls);
    RETURN QUERY SELECT p.oid::regprocedure::text, 'a SECURITY DEFINER function without a fixed search_path',
                        format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.pronamespace = ANY (schemas) AND p.prosecdef
                    AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);
    RETURN QUERY SELECT p.oid::regprocedure::text, 'everybody may call this function',
                        format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', p.oid::regprocedure)
                   FROM pg_proc p
                  WHERE p.pronamespace = ANY (schemas) AND has_function_privilege('public', p.oid, 'EXECUTE');
    RETURN QUERY SELECT c.oid::regclass::text, 'a view with the rights of its owner',
                        format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass)
                   FROM pg_class c
                  WHERE c.relnamespace = ANY (schemas) AND c.relkind = 'v'
                    AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
                                     WHERE o.option_name = 'security_invoker' AND o.option_value::boolean);
    RETURN QUERY SELECT c.oid::regclass::text, 'a materialized view', 'Make a table or a view of it: policies do not hold here.'
                   FROM pg_class c WHERE c.relnamespace = ANY (schemas) AND c.relkind = 'm';

    -- Logins
    RETURN QUERY SELECT format('role %s', b.setrole::regrole), format('bound to a tenant, but %s', b.obstacle),
                        format('Take that away, or SELECT relygate.unbind_role(%L);', b.setrole::regrole)
                   FROM (SELECT DISTINCT s.setrole, @extschema@.binding_obstacle(s.setrole) AS obstacle
                           FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                          WHERE s.setrole <> 0 AND c.setting LIKE 'app.tenant\_id=%'
                            AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))) b
                  WHERE b.obstacle IS NOT NULL;
    RETURN QUERY SELECT format('parameter %s', m.parname), format('SET is granted to %s',
                            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END),
                        'Only relygate_api and relygate_owner may choose a tenant.'
                   FROM pg_parameter_acl m CROSS JOIN LATERAL aclexplode(m.paracl) a
                   LEFT JOIN pg_roles r ON r.oid = a.grantee
                  WHERE (m.parname LIKE 'app.%' OR m.parname = 'relygate.context_lifetime') AND a.privilege_type = 'SET'
                    AND NOT coalesce(r.rolsuper OR r.rolname IN ('relygate_api', 'relygate_owner') AND m.parname LIKE 'app.%', false);

    -- The guard
    RETURN QUERY SELECT format('event trigger %s', w.name), 'missing or disabled', 'Deploy the migration guard, or enable it.'
                   FROM unnest(ARRAY['relygate_guard_ddl', 'relygate_guard_drop']) AS w (name)
                  WHERE NOT EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtname = w.name AND e.evtenabled IN ('O', 'A'));
END $$;
COMMENT ON FUNCTION @extschema@.validate_schema() IS
'Lists what is wrong with the protection of this database: tables, keys, functions, views, logins, the guard. Empty is right. '
'Callers: a superuser.';
REVOKE ALL ON FUNCTION @extschema@.validate_schema() FROM PUBLIC;
-- Logins that belong to one tenant: its id is a setting of the role in this database, so it holds at each login without any
-- look-up and follows the login through SET ROLE. Role names must not name tenants, since everybody can read them.

CREATE FUNCTION @extschema@.end_role_sessions(role oid) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'relygate_end_role_sessions';
COMMENT ON FUNCTION @extschema@.end_role_sessions(oid) IS
'Ends the sessions of a login in this database when the transaction commits. Callers: bind_role, unbind_role.';
REVOKE ALL ON FUNCTION @extschema@.end_role_sessions(oid) FROM PUBLIC;

CREATE FUNCTION @extschema@.binding_obstacle(role oid) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found text;
BEGIN
    -- With all it is a member of: SET ROLE makes their attributes its own.
    SELECT format('it is, or is a member of, a role that is %s: "%s"',
                  CASE WHEN r.rolsuper THEN 'SUPERUSER' WHEN r.rolbypassrls THEN 'BYPASSRLS'
                       WHEN r.rolreplication THEN 'REPLICATION' ELSE 'CREATEROLE' END, r.rolname) INTO found
      FROM pg_roles r WHERE pg_has_role(binding_obstacle.role, r.oid, 'MEMBER')
       AND (r.rolsuper OR r.rolbypassrls OR r.rolreplication OR r.rolcreaterole) ORDER BY r.rolname LIMIT 1;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    SELECT format('it is a member of "%s"', r.rolname) INTO found
      FROM pg_roles r WHERE pg_has_role(binding_obstacle.role, r.oid, 'MEMBER')
       AND (r.rolname IN ('relygate_owner', 'relygate_api', 'relygate_audit', 'relygate_platform', 'relygate_backup',
                          'pg_read_all_data', 'pg_write_all_data', 'pg_monitor', 'pg_read_all_stats', 'pg_signal_backend')
            OR r.rolname LIKE 'pg\_%\_server\_%') ORDER BY r.rolname LIMIT 1;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    SELECT format('it may set %s', s.name) INTO found
      FROM unnest(ARRAY['app.tenant_id', 'app.user_id', 'app.user_role', 'app.request_id', 'app.client_address',
                        'relygate.context_lifetime']) AS s (name)
     WHERE has_parameter_privilege(binding_obstacle.role, s.name, 'SET') LIMIT 1;
    IF found IS NOT NULL THEN
        RETURN found;
    END IF;
    SELECT format('it owns %s', o.what) INTO found
      FROM (SELECT 'the database' AS what, d.datdba AS owner FROM pg_database d WHERE d.datname = current_database()
            UNION ALL SELECT format('schema %I', n.nspname), n.nspowner FROM pg_namespace n WHERE n.nspname LIKE 'relygate%'
            UNION ALL SELECT c.oid::regclass::text, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname LIKE 'relygate%'
            UNION ALL SELECT p.oid::regprocedure::text, p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                       WHERE n.nspname LIKE 'relygate%') o
     WHERE o.owner = binding_obstacle.role LIMIT 1;
    RETURN found;
END $$;
COMMENT ON FUNCTION @extschema@.binding_obstacle(oid) IS 'Why a role cannot be bound to a tenant, NULL if it can.';
REVOKE ALL ON FUNCTION @extschema@.binding_obstacle(oid) FROM PUBLIC;

CREATE FUNCTION @extschema@.bind_role(role name, tenant_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    id CONSTANT oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = bind_role.role);
    obstacle text;
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', bind_role.role USING ERRCODE = 'undefined_object';
    END IF;
    obstacle := @extschema@.binding_obstacle(id);
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION 'role "%" cannot be bound to a tenant', bind_role.role
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('The role cannot be held to one tenant: %s.', obstacle);
    END IF;
    IF NOT EXISTS (SELECT FROM @extschema@.tenants t WHERE t.id = bind_role.tenant_id) THEN
        RAISE EXCEPTION 'tenant "%" does not exist', bind_role.tenant_id USING ERRCODE = 'no_data_found';
    END IF;
    EXECUTE format('GRANT relygate_reporting TO %I', bind_role.role);
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET app.tenant_id = %L', bind_role.role, current_database(), bind_role.tenant_id);
    PERFORM @extschema@.end_role_sessions(id);
END $$;
COMMENT ON FUNCTION @extschema@.bind_role(name, uuid) IS
'Binds a login to a tenant: it reads that tenant''s rows through relygate_reporting, with no SET, and cannot choose another. Ends '
'its open sessions at commit. Errors: 42501 the role has rights that no binding can hold. Callers: a superuser.';
REVOKE ALL ON FUNCTION @extschema@.bind_role(name, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.unbind_role(role name) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    id CONSTANT oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = unbind_role.role);
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'role "%" does not exist', unbind_role.role USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET app.tenant_id', unbind_role.role, current_database());
    -- The membership belongs to the cluster: another database may have bound this login, too.
    IF NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
                    WHERE s.setrole = id AND c.setting LIKE 'app.tenant\_id=%') THEN
        EXECUTE format('REVOKE relygate_reporting FROM %I', unbind_role.role);
    END IF;
    PERFORM @extschema@.end_role_sessions(id);
END $$;
COMMENT ON FUNCTION @extschema@.unbind_role(name) IS
'Takes a login''s tenant away and ends its open sessions at commit. Callers: a superuser.';
REVOKE ALL ON FUNCTION @extschema@.unbind_role(name) FROM PUBLIC;

CREATE FUNCTION @extschema@.grant_functions() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- What only a DBA or a migration's definer function calls; a function that a route names is the API's all the same.
    administrative CONSTANT text[] := ARRAY['protect_table', 'protection_defects', 'validate_schema', 'bind_role', 'unbind_role',
        'binding_obstacle', 'end_role_sessions', 'grant_functions', 'create_tenant', 'jws_sign',
        'new_signing_key', 'hmac_sha256'];
    item record;
BEGIN
    FOR item IN
        SELECT p.oid::regprocedure AS signature,
               -- PL/pgSQL refuses to write in a function that is not VOLATILE, so this is what only reads.
               p.provolatile <> 'v' AS is_reading
          FROM pg_proc p
          JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'relygate'
         WHERE p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
           AND (p.proname <> ALL (administrative)
                OR EXISTS (SELECT FROM @extschema@.product_routes r WHERE r.function = p.proname))
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO relygate_api, relygate_owner', item.signature);
        IF item.is_reading THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO relygate_reporting, relygate_audit, relygate_platform', item.signature);
        END IF;
    END LOOP;
    -- relygate_owner protects tables that it adds; keys of rows are made wherever rows are.
    GRANT EXECUTE ON FUNCTION @extschema@.protect_table(regclass, name), @extschema@.refuse_truncate(),
        @extschema@.protection_defects(regclass) TO relygate_owner;
    GRANT EXECUTE ON FUNCTION @extschema@.uuid_v7() TO relygate_audit, relygate_platform;
END $$;
COMMENT ON FUNCTION @extschema@.grant_functions() IS
'Grants the extension''s functions: those of the API to relygate_api and relygate_owner, those of them that only read also to '
'relygate_reporting. Run by the migrations and after each ALTER EXTENSION relygate UPDATE.';
REVOKE ALL ON FUNCTION @extschema@.grant_functions() FROM PUBLIC;
-- Search that can use an index under row-level security, where LIKE cannot (it may raise, so it is not leakproof).

CREATE FUNCTION @extschema@.contains_pattern(term text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_contains_pattern';
COMMENT ON FUNCTION @extschema@.contains_pattern(text) IS 'The term as a pattern of LIKE, for the index condition of contains().';
REVOKE ALL ON FUNCTION @extschema@.contains_pattern(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.contains_support(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_contains_support';
COMMENT ON FUNCTION @extschema@.contains_support(internal) IS 'Lets contains() use a trigram index. Called by the planner.';
REVOKE ALL ON FUNCTION @extschema@.contains_support(internal) FROM PUBLIC;

CREATE FUNCTION @extschema@.contains(whole text, term text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE SUPPORT @extschema@.contains_support
AS 'MODULE_PATHNAME', 'relygate_contains';
COMMENT ON FUNCTION @extschema@.contains(text, text) IS
'Whether a text contains a term, character by character: for columns that hold fold_search(text), with fold_search(term). '
'Uses an index USING gin (tenant_id, column gin_trgm_ops) under row-level security too.';
REVOKE ALL ON FUNCTION @extschema@.contains(text, text) FROM PUBLIC;

CREATE OPERATOR @extschema@.~@ (
    FUNCTION = @extschema@.contains, LEFTARG = text, RIGHTARG = text, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR @extschema@.~@ (text, text) IS 'contains';
-- The API of the product: what a route is, how a function refuses, and the one call that the shim makes. The rows of
-- product_routes stand beside their functions in the files of the domains; DBAs add theirs to relygate_global.routes.

CREATE TYPE @extschema@.answer AS (status int, content_type text, headers text[], body bytea);
COMMENT ON TYPE @extschema@.answer IS
'An HTTP answer: status, Content-Type, further headers (name and value in turn) and body.';

CREATE FUNCTION @extschema@.is_route_pattern(pattern text) RETURNS boolean
AS 'MODULE_PATHNAME', 'relygate_is_route_pattern' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.is_route_pattern(text) IS
'Whether this can be the pattern of a route: literal segments and {parameters} in snake_case, no slash at the end.';
REVOKE ALL ON FUNCTION @extschema@.is_route_pattern(text) FROM PUBLIC;

-- One definition for both tables of routes: what stands here, the migration routes repeats by LIKE.
CREATE TABLE @extschema@.product_routes (
    method text NOT NULL CHECK (method IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
    pattern text NOT NULL CHECK (@extschema@.is_route_pattern(pattern)),
    function text NOT NULL CHECK (function <> ''),
    permission text NOT NULL CHECK (permission ~ '^(public|signed_in|[a-z_]+\.[a-z_]+)$'),
    answer text NOT NULL CHECK (answer IN ('object', 'list', 'none', 'answer')),
    status int NOT NULL DEFAULT 200 CHECK (status IN (200, 201)),
    location text CHECK (location LIKE '/%'),
    message text NOT NULL DEFAULT 'OK' CHECK (message <> ''),
    required text[] NOT NULL DEFAULT '{}',
    one_of text[] NOT NULL DEFAULT '{}',
    read_only boolean NOT NULL DEFAULT false,
    lane text NOT NULL DEFAULT 'write' CHECK (lane IN ('read', 'write', 'slow')),
    body_limit int NOT NULL DEFAULT 262144 CHECK (body_limit BETWEEN 0 AND 104857600),
    while_suspended boolean NOT NULL DEFAULT false,
    tenant_argument text,
    PRIMARY KEY (method, pattern),
    CONSTRAINT product_routes_get_reads CHECK (method <> 'GET' OR read_only),
    CONSTRAINT product_routes_read_lane CHECK (lane <> 'read' OR read_only)
);
COMMENT ON TABLE @extschema@.product_routes IS 'The routes of the product; a row names a function of this schema.';
COMMENT ON COLUMN @extschema@.product_routes.pattern IS 'Path; {parameters} are bound to the function''s parameters of that name.';
COMMENT ON COLUMN @extschema@.product_routes.function IS 'Name of the function in this schema; there is only one of that name.';
COMMENT ON COLUMN @extschema@.product_routes.permission IS 'public, signed_in, or a permission as visits.write.';
COMMENT ON COLUMN @extschema@.product_routes.answer IS
'object (no row: 404), list, none, answer (the function returns an answer itself).';
COMMENT ON COLUMN @extschema@.product_routes.location IS 'Location header of a 201; {columns} are filled from the row.';
COMMENT ON COLUMN @extschema@.product_routes.message IS 'responseMessage of the envelope.';
COMMENT ON COLUMN @extschema@.product_routes.required IS
'Parameters needed although they have a DEFAULT; those of an object only if the object is there.';
COMMENT ON COLUMN @extschema@.product_routes.one_of IS
'Alternatives divided by |, exactly one of which must be there: parameters or objects.';
COMMENT ON COLUMN @extschema@.product_routes.lane IS 'read, write or slow: the backends that serve it.';
COMMENT ON COLUMN @extschema@.product_routes.body_limit IS 'Bytes of body that the shim takes.';
COMMENT ON COLUMN @extschema@.product_routes.while_suspended IS 'A write that a suspended tenant may still do, as a check-out.';
COMMENT ON COLUMN @extschema@.product_routes.tenant_argument IS
'The parameter that names the tenant to act in; NULL: the token''s tenant.';
REVOKE ALL ON @extschema@.product_routes FROM PUBLIC;

CREATE FUNCTION @extschema@.routes_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'relygate_routes_changed' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.routes_changed() IS
'Makes every backend read the routes again after the commit, and tells the shims by NOTIFY relygate_routes.';
REVOKE ALL ON FUNCTION @extschema@.routes_changed() FROM PUBLIC;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.product_routes
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.routes_changed();

CREATE FUNCTION @extschema@.refuse(status int, code text, message text, detail text DEFAULT NULL, hint text DEFAULT NULL,
    field text DEFAULT NULL, data jsonb DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'relygate_refuse' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.refuse(int, text, text, text, text, text, jsonb) IS
'Ends the request with an HTTP status: raises SQLSTATE RG and the status, with constraint name = code, column name = field (a '
'parameter''s name), datatype name = data. The dispatcher answers with it; nothing that was written stays.';
REVOKE ALL ON FUNCTION @extschema@.refuse(int, text, text, text, text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION @extschema@.handle_request(tenant_id uuid, user_id uuid, session_id uuid, token_expires_at timestamptz,
    request_id text, client_address inet, method text, path text, query text, headers text[], body bytea)
RETURNS @extschema@.answer
AS 'MODULE_PATHNAME', 'relygate_handle_request' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.handle_request(uuid, uuid, uuid, timestamptz, text, inet, text, text, text, text[], bytea) IS
'Answers one HTTP request whose token was verified already: finds the route, sets the context, checks session and permission, '
'binds the members, calls the function and writes the answer. tenant_id, user_id and session_id come from the token (NULL: no '
'token); path and query are raw; headers are name and value in turn. Callers: the shim.';
REVOKE ALL ON FUNCTION @extschema@.handle_request(uuid, uuid, uuid, timestamptz, text, inet, text, text, text, text[], bytea)
    FROM PUBLIC;
-- The audit: the trigger that writes it, the one that keeps it, and how it is read. The table comes from a migration and belongs
-- to relygate_audit, whom audit_row becomes around its INSERT; nobody else may insert, nobody may change or remove a row.

CREATE FUNCTION @extschema@.audit_row() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'relygate_audit_row';
COMMENT ON FUNCTION @extschema@.audit_row() IS
'AFTER trigger for each row: notes who changed what. Nothing for an update that changes nothing but updated_at. Argument: the '
'tenant''s column, if it is not tenant_id.';
REVOKE ALL ON FUNCTION @extschema@.audit_row() FROM PUBLIC;

CREATE FUNCTION @extschema@.refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'audit log is append-only' USING ERRCODE = 'insufficient_privilege',
        DETAIL = format('%s of "%s" was refused.', TG_OP, TG_TABLE_NAME);
END $$;
COMMENT ON FUNCTION @extschema@.refuse_audit_change() IS 'Trigger of the audit log: refuses UPDATE, DELETE and TRUNCATE. Errors: 42501.';
REVOKE ALL ON FUNCTION @extschema@.refuse_audit_change() FROM PUBLIC;

CREATE TYPE @extschema@.audit_entry AS (
    id uuid, occurred_at timestamptz, user_id uuid, user_name text, user_role text, database_role text, request_id text,
    client_address text, table_name text, row_id uuid, action text, changes json, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.audit_entry IS
'A change of a row as the API answers it; changes is {"column": {"before": ..., "after": ...}}.';

CREATE FUNCTION @extschema@.list_audit("table" @extschema@.label_input DEFAULT NULL, key uuid DEFAULT NULL, "user" uuid DEFAULT NULL,
    "from" @extschema@.moment_input DEFAULT NULL, "to" @extschema@.moment_input DEFAULT NULL, page_limit int DEFAULT 21,
    page_offset int DEFAULT 0, after text[] DEFAULT NULL, counting boolean DEFAULT false) RETURNS SETOF @extschema@.audit_entry
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    begins timestamptz := @extschema@.moment_start(list_audit."from", @extschema@.zone_of(), 'from');
    ends timestamptz := @extschema@.moment_end(list_audit."to", @extschema@.zone_of(), 'to');
BEGIN
    RETURN QUERY WITH matching AS NOT MATERIALIZED (   -- the filter stands once, for page and total
        SELECT a.* FROM @extschema@.audit_log a
         WHERE a.tenant_id = (SELECT @extschema@.current_tenant())
           AND (list_audit."table" IS NULL OR a.table_name = list_audit."table")
           AND (list_audit.key IS NULL OR a.row_id = list_audit.key)
           AND (list_audit."user" IS NULL OR a.user_id = list_audit."user")
           AND (begins IS NULL OR a.occurred_at >= begins)
           AND (ends IS NULL OR a.occurred_at < ends)
           AND (after IS NULL OR (a.occurred_at, a.id) < (after[1]::timestamptz, after[2]::uuid))),
    page AS (SELECT m.* FROM matching m ORDER BY m.occurred_at DESC, m.id DESC LIMIT page_limit OFFSET page_offset)
    SELECT p.id, p.occurred_at, p.user_id, u.user_name::text, p.user_role::text, p.database_role::text, p.request_id::text,
           host(p.client_address), p.table_name::text, p.row_id, p.action::text, p.changes, ARRAY[p.occurred_at::text, p.id::text],
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      FROM page p LEFT JOIN @extschema@.users u ON u.tenant_id = p.tenant_id AND u.id = p.user_id
     ORDER BY p.occurred_at DESC, p.id DESC;
END $$;
COMMENT ON FUNCTION @extschema@.list_audit(@extschema@.label_input, uuid, uuid, @extschema@.moment_input, @extschema@.moment_input, int, int, text[], boolean) IS
'Who changed what, the latest first: of a table, of a row (key: its id), by a user. from and to: a date is a day of the tenant, to inclusive; an instant as '
'to is exclusive. Errors: RG400. Callers: tenant admin, auditor.';
REVOKE ALL ON FUNCTION @extschema@.list_audit(@extschema@.label_input, uuid, uuid, @extschema@.moment_input, @extschema@.moment_input, int, int, text[], boolean)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/audit', 'list_audit', 'audit.read', 'list', 200, 'Audit log', true, 'read');
-- What logins, tokens and codes are made of: C++ functions over libcrypt, OpenSSL and core/token. The functions that use keys
-- (sign_token, keyed_hash, rotate_signing_key) come from the migration platform_functions, since they read a table of keys.

CREATE FUNCTION @extschema@.hash_password(password text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_hash_password';
COMMENT ON FUNCTION @extschema@.hash_password(text) IS
'The yescrypt hash of a password, salted at random. Errors: RG400 longer than 1024 bytes.';
REVOKE ALL ON FUNCTION @extschema@.hash_password(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.verify_password(password text, password_hash text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_verify_password';
COMMENT ON FUNCTION @extschema@.verify_password(text, text) IS
'Whether a password has this hash (yescrypt or bcrypt). Without a hash it works as long and says false.';
REVOKE ALL ON FUNCTION @extschema@.verify_password(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_bytes(count int) RETURNS bytea
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_random_bytes';
COMMENT ON FUNCTION @extschema@.random_bytes(int) IS 'Up to 1024 bytes from the strong source of random numbers.';
REVOKE ALL ON FUNCTION @extschema@.random_bytes(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_code(length int) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_random_code';
COMMENT ON FUNCTION @extschema@.random_code(int) IS
'A random code of capitals and digits without 0 O 1 I, up to 64 long: registration numbers, badges.';
REVOKE ALL ON FUNCTION @extschema@.random_code(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_digits(length int) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_random_digits';
COMMENT ON FUNCTION @extschema@.random_digits(int) IS 'Random digits, up to 64, each as likely as the others: security codes.';
REVOKE ALL ON FUNCTION @extschema@.random_digits(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.base64url(bytes bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.translate(pg_catalog.encode(bytes, 'base64'), E'+/=\n', '-_');
COMMENT ON FUNCTION @extschema@.base64url(bytea) IS 'Bytes as base64url without padding (RFC 4648, 5).';
REVOKE ALL ON FUNCTION @extschema@.base64url(bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.random_token(bytes int) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN @extschema@.base64url(@extschema@.random_bytes(bytes));
END $$;
COMMENT ON FUNCTION @extschema@.random_token(int) IS 'So many random bytes as base64url text.';
REVOKE ALL ON FUNCTION @extschema@.random_token(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.hmac_sha256(secret bytea, value bytea) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_hmac_sha256';
COMMENT ON FUNCTION @extschema@.hmac_sha256(bytea, bytea) IS 'HMAC-SHA-256 (RFC 2104).';
REVOKE ALL ON FUNCTION @extschema@.hmac_sha256(bytea, bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.new_signing_key(algorithm text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_new_signing_key';
COMMENT ON FUNCTION @extschema@.new_signing_key(text) IS
'A new private JWK with kid and alg, for ES256 or EdDSA. Kept by relygate.rotate_signing_key().';
REVOKE ALL ON FUNCTION @extschema@.new_signing_key(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.public_jwk(private_jwk text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_public_jwk';
COMMENT ON FUNCTION @extschema@.public_jwk(text) IS 'A JWK without its private part.';
REVOKE ALL ON FUNCTION @extschema@.public_jwk(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.jws_sign(private_jwk text, claims text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_jws_sign';
COMMENT ON FUNCTION @extschema@.jws_sign(text, text) IS
'A compact JWS (RFC 7515) over JSON claims; the algorithm is the key''s. Tokens are made by relygate.sign_token().';
REVOKE ALL ON FUNCTION @extschema@.jws_sign(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.current_session_id() RETURNS uuid
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'relygate_current_session_id';
COMMENT ON FUNCTION @extschema@.current_session_id() IS 'The session whose request runs in this transaction, or NULL.';
REVOKE ALL ON FUNCTION @extschema@.current_session_id() FROM PUBLIC;

CREATE FUNCTION @extschema@.jwks() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT json_build_object('keys', coalesce(json_agg(k.public_jwk::json ORDER BY k.signs_from DESC, k.kid), '[]'))
              FROM relygate_global.signing_keys k
             WHERE k.purpose = 'token' AND (k.published_until IS NULL OR k.published_until > now()));
END $$;
COMMENT ON FUNCTION @extschema@.jwks() IS
'The public keys of access tokens as a JWK set (RFC 7517, 5), those that wait to sign and those that only still verify too.';
REVOKE ALL ON FUNCTION @extschema@.jwks() FROM PUBLIC;
-- Tenants: the own one, and a new one made usable at once, with its first site, the built-in roles and vocabularies that fit
-- its kind. The row in tenants is written by relygate_platform (insert_tenant), everything else by the caller under the new
-- tenant's context, so no function here has more rights than who calls it.

CREATE TYPE @extschema@.tenant AS (
    id uuid, code text, name text, kind text, time_zone text, country text, state text, subscription_from date,
    subscription_until date, is_operator boolean, created_at timestamptz, updated_at timestamptz);
COMMENT ON TYPE @extschema@.tenant IS 'A tenant as the API answers it.';

CREATE FUNCTION @extschema@.own_tenant() RETURNS SETOF @extschema@.tenant
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT t.id, t.code::text, t.name::text, t.kind::text, t.time_zone::text, t.country::text, t.state::text,
                        t.subscription_from, t.subscription_until, t.is_operator, t.created_at, t.updated_at
                   FROM @extschema@.tenants t WHERE t.id = @extschema@.current_tenant();
END $$;
COMMENT ON FUNCTION @extschema@.own_tenant() IS 'The tenant of the caller.';
REVOKE ALL ON FUNCTION @extschema@.own_tenant() FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, message, read_only, lane)
VALUES ('GET', '/api/tenant', 'own_tenant', 'signed_in', 'object', 'Tenant', true, 'read');

-- What a new tenant begins with; afterwards the lists are its own.
CREATE FUNCTION @extschema@.default_visitor_categories(tenant_kind text)
RETURNS TABLE (name text, asks_mobile boolean, is_default boolean, "position" int)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- The first is the default. Ambulance, fire brigade and police are not held up by questions.
    names CONSTANT text[] := CASE tenant_kind
        WHEN 'school' THEN ARRAY['Parent', 'Relative', 'Vendor', 'Alumni', 'Official', 'Delivery']
        WHEN 'residential' THEN ARRAY['Guest', 'Delivery', 'Service Provider', 'Domestic Help', 'Cab Driver', 'Official']
        WHEN 'office' THEN ARRAY['Business Visitor', 'Client', 'Vendor', 'Candidate', 'Contractor', 'Delivery']
        WHEN 'hospital' THEN ARRAY['Patient Visitor', 'Attendant', 'Outpatient', 'Medical Representative', 'Vendor', 'Delivery']
        ELSE ARRAY['Visitor', 'Vendor', 'Official', 'Delivery'] END || ARRAY['Emergency Service'];
BEGIN
    RETURN QUERY SELECT n.name, n.name <> 'Emergency Service', n.ordinality = 1, n.ordinality::int
                   FROM unnest(names) WITH ORDINALITY AS n (name, ordinality);
END $$;
COMMENT ON FUNCTION @extschema@.default_visitor_categories(text) IS 'The visitor categories that a new tenant of this kind begins with.';
REVOKE ALL ON FUNCTION @extschema@.default_visitor_categories(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.default_purposes(tenant_kind text) RETURNS TABLE (kind text, name text, "position" int)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lists CONSTANT jsonb := (CASE tenant_kind
        WHEN 'school' THEN '{"visit": ["Meet a Student", "Meet a Teacher", "Admission Enquiry", "Fee Payment", "Event", "Delivery", "Maintenance"],
            "gate_pass": ["Parents'' Day", "Event", "Guest Lecture", "Hostel Visit"],
            "student": ["Going Home", "Market", "Medical", "Sports", "Educational Trip"],
            "staff": ["Official Duty", "Personal", "Lunch", "Medical"],
            "vehicle": ["School Route", "Trip", "Fuel", "Workshop"]}'
        WHEN 'residential' THEN '{"visit": ["Meet a Resident", "Delivery", "Cab", "Repair", "Housekeeping", "House Viewing"],
            "gate_pass": ["Guest", "Party", "Moving In", "Moving Out", "Renovation"],
            "staff": ["Official Duty", "Personal", "Lunch"],
            "vehicle": ["Resident", "Service", "Goods"]}'
        WHEN 'hospital' THEN '{"visit": ["Visit a Patient", "Appointment", "Emergency", "Sales Call", "Delivery", "Maintenance"],
            "gate_pass": ["Attendant", "Contractor Work", "Guest Lecture"],
            "staff": ["Official Duty", "Personal", "Lunch"],
            "vehicle": ["Ambulance", "Supplies", "Fuel", "Workshop"]}'
        ELSE '{"visit": ["Meeting", "Interview", "Sales Call", "Delivery", "Maintenance", "Event"],
            "gate_pass": ["Meeting", "Event", "Contractor Work"],
            "staff": ["Official Duty", "Personal", "Lunch"],
            "vehicle": ["Pick-up", "Delivery", "Fuel", "Workshop"]}' END)::jsonb;
BEGIN
    RETURN QUERY SELECT l.key, n.name, n.ordinality::int
                   FROM jsonb_each(lists) l, jsonb_array_elements_text(l.value) WITH ORDINALITY AS n (name, ordinality);
END $$;
COMMENT ON FUNCTION @extschema@.default_purposes(text) IS 'The purposes that a new tenant of this kind begins with.';
REVOKE ALL ON FUNCTION @extschema@.default_purposes(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_tenant(code @extschema@.code_input, name @extschema@.label_input,
    kind @extschema@.tenant_kind_input, time_zone @extschema@.time_zone_input, country @extschema@.country_input,
    is_operator boolean DEFAULT false) RETURNS SETOF @extschema@.tenant
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_id CONSTANT uuid := @extschema@.uuid_v7();
BEGIN
    IF @extschema@.find_tenant(create_tenant.code) IS NOT NULL THEN
        PERFORM @extschema@.refuse(409, 'duplicate', 'tenant code is taken', NULL, NULL, 'code');
    END IF;
    -- Set to the end of the transaction: what the caller writes next in it, as the first user, belongs to the new tenant.
    PERFORM set_config('app.tenant_id', new_id::text, true);
    PERFORM @extschema@.insert_tenant(new_id, create_tenant.code, create_tenant.name, create_tenant.kind,
                                      create_tenant.time_zone, create_tenant.country, create_tenant.is_operator);
    INSERT INTO @extschema@.sites (name) VALUES (create_tenant.name);
    INSERT INTO @extschema@.roles (name, is_built_in)
    SELECT b.role, true FROM @extschema@.built_in_roles() b WHERE create_tenant.is_operator OR b.role <> 'platform_admin';
    INSERT INTO @extschema@.visitor_categories (name, asks_mobile, is_default, position)
    SELECT d.name, d.asks_mobile, d.is_default, d.position FROM @extschema@.default_visitor_categories(create_tenant.kind) d;
    INSERT INTO @extschema@.purposes (kind, name, position)
    SELECT d.kind, d.name, d.position FROM @extschema@.default_purposes(create_tenant.kind) d;
    RETURN QUERY SELECT * FROM @extschema@.own_tenant();
END $$;
COMMENT ON FUNCTION @extschema@.create_tenant(@extschema@.code_input, @extschema@.label_input, @extschema@.tenant_kind_input,
    @extschema@.time_zone_input, @extschema@.country_input, boolean) IS
'Makes a tenant with its first site, the built-in roles and vocabularies of its kind. The rest of the transaction works for '
'it: call create_user next. The first tenant of an installation is its operator''s (is_operator). Errors: RG409 the code is '
'taken; 25001 the transaction works for another tenant. Callers: a DBA.';
REVOKE ALL ON FUNCTION @extschema@.create_tenant(@extschema@.code_input, @extschema@.label_input, @extschema@.tenant_kind_input,
    @extschema@.time_zone_input, @extschema@.country_input, boolean) FROM PUBLIC;
-- Roles and permissions. The permissions of the built-in roles stand here, so that a release can add one without touching
-- the rows of every tenant; a role that a tenant made itself has rows in role_permissions. Nobody gives a permission that he
-- does not have.

-- Permissions -----------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.permission AS (permission text, description text);
COMMENT ON TYPE @extschema@.permission IS 'A permission as the API answers it.';

CREATE FUNCTION @extschema@.product_permissions() RETURNS SETOF @extschema@.permission
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY VALUES
        ('audit.read', 'Read who changed what and when'),
        ('pii.read', 'Read personal data that others see masked'),
        ('places.read', 'Read locations, gates and hosts'),
        ('places.write', 'Change locations, gates and hosts'),
        ('platform.read', 'Read all tenants and the health of the installation'),
        ('platform.write', 'Make, suspend and resume tenants'),
        ('reports.read', 'Read dashboards and statistics'),
        ('roles.read', 'Read roles and permissions'),
        ('roles.write', 'Change the roles that the tenant made itself'),
        ('settings.read', 'Read settings'),
        ('settings.write', 'Change settings'),
        ('sites.read', 'Read sites and their occupancy'),
        ('sites.write', 'Change sites'),
        ('users.read', 'Read users'),
        ('users.write', 'Make, change, unlock and sign out users'),
        ('visitors.read', 'Read visitors'),
        ('visitors.write', 'Register and change visitors'),
        ('visits.read', 'Read visits'),
        ('visits.write', 'Check visitors in and out, refuse and cancel visits'),
        ('vocabularies.read', 'Read visitor categories and purposes'),
        ('vocabularies.write', 'Change visitor categories and purposes');
END $$;
COMMENT ON FUNCTION @extschema@.product_permissions() IS
'All permissions of the product; platform.* counts only in the operator''s tenant.';
REVOKE ALL ON FUNCTION @extschema@.product_permissions() FROM PUBLIC;

CREATE FUNCTION @extschema@.built_in_roles() RETURNS TABLE (role text, permissions text[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    everything CONSTANT text[] := (SELECT array_agg(p.permission ORDER BY p.permission) FROM @extschema@.product_permissions() p);
    at_the_desk CONSTANT text[] := ARRAY['places.read', 'sites.read', 'visitors.read', 'visitors.write', 'visits.read',
                                         'visits.write', 'vocabularies.read'];
BEGIN
    RETURN QUERY VALUES
        ('platform_admin', everything),
        ('tenant_admin', array_remove(array_remove(everything, 'platform.read'), 'platform.write')),
        ('receptionist', at_the_desk),
        ('security_guard', at_the_desk),
        ('host', ARRAY['places.read', 'sites.read', 'vocabularies.read']),
        ('auditor', ARRAY['audit.read', 'places.read', 'reports.read', 'roles.read', 'settings.read', 'sites.read', 'users.read',
                          'visitors.read', 'visits.read', 'vocabularies.read']);
END $$;
COMMENT ON FUNCTION @extschema@.built_in_roles() IS 'The roles that every tenant has (platform_admin: the operator''s), with their permissions.';
REVOKE ALL ON FUNCTION @extschema@.built_in_roles() FROM PUBLIC;

CREATE FUNCTION @extschema@.built_in_permissions(role text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT b.permissions FROM @extschema@.built_in_roles() b WHERE b.role = built_in_permissions.role);
END $$;
COMMENT ON FUNCTION @extschema@.built_in_permissions(text) IS 'What a built-in role may do, in order; NULL: there is no such role.';
REVOKE ALL ON FUNCTION @extschema@.built_in_permissions(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.permissions_of(role_id uuid) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT CASE WHEN r.is_built_in THEN coalesce(@extschema@.built_in_permissions(r.name::text), '{}')
                        ELSE ARRAY(SELECT p.permission FROM @extschema@.role_permissions p WHERE p.role_id = r.id ORDER BY 1) END
              FROM @extschema@.roles r WHERE r.id = permissions_of.role_id);
END $$;
COMMENT ON FUNCTION @extschema@.permissions_of(uuid) IS 'What a role of the tenant may do, in order; NULL: there is no such role.';
REVOKE ALL ON FUNCTION @extschema@.permissions_of(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.list_permissions() RETURNS SETOF @extschema@.permission
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT p.* FROM @extschema@.product_permissions() p WHERE p.permission NOT LIKE 'platform.%' ORDER BY p.permission;
END $$;
COMMENT ON FUNCTION @extschema@.list_permissions() IS 'The permissions that a role of a tenant can have.';
REVOKE ALL ON FUNCTION @extschema@.list_permissions() FROM PUBLIC;

-- Roles -----------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.role AS (
    id uuid, name text, is_built_in boolean, permissions text[], created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.role IS 'A role as the API answers it.';

CREATE FUNCTION @extschema@.list_roles(page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.role
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH matching AS NOT MATERIALIZED (
        SELECT r.*, lower(r.name) AS sort_name FROM @extschema@.roles r
         WHERE r.tenant_id = @extschema@.current_tenant()
           AND (list_roles.after IS NULL OR (lower(r.name), r.id) > (list_roles.after[1], list_roles.after[2]::uuid)))
    SELECT m.id, m.name::text, m.is_built_in, @extschema@.permissions_of(m.id), m.created_at, m.updated_at,
           ARRAY[m.sort_name, m.id::text],
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      FROM matching m ORDER BY m.sort_name, m.id LIMIT page_limit OFFSET page_offset;
END $$;
COMMENT ON FUNCTION @extschema@.list_roles(int, int, text[], boolean) IS 'Roles by name, with what each may do.';
REVOKE ALL ON FUNCTION @extschema@.list_roles(int, int, text[], boolean) FROM PUBLIC;

-- The role by its name, if the caller may give it; a DBA (no user in the context) may give every role.
CREATE FUNCTION @extschema@.role_to_give(role text, field text DEFAULT 'role') RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    role_id CONSTANT uuid := (SELECT r.id FROM @extschema@.roles r
                                   WHERE r.tenant_id = @extschema@.current_tenant() AND lower(r.name) = lower(role_to_give.role));
BEGIN
    IF role_id IS NULL THEN
        PERFORM @extschema@.refuse(400, 'unknown', 'unknown role', NULL, 'GET /api/roles lists them.', role_to_give.field);
    END IF;
    PERFORM @extschema@.check_role_reach(role_id);
    RETURN role_id;
END $$;
COMMENT ON FUNCTION @extschema@.role_to_give(text, text) IS
'The id of a role by its name. Errors: RG400 there is none; RG403 it can do more than the caller.';
REVOKE ALL ON FUNCTION @extschema@.role_to_give(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_role_reach(role_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF @extschema@.current_user_id() IS NULL THEN
        RETURN;
    END IF;
    IF NOT @extschema@.permissions_of(check_role_reach.role_id) <@ coalesce(@extschema@.permissions_of(
           (SELECT u.role_id FROM @extschema@.users u WHERE u.id = @extschema@.current_user_id())), '{}') THEN
        PERFORM @extschema@.refuse(403, 'role_beyond_own', 'this role can do more than yours');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_role_reach(uuid) IS 'Refuses (RG403) a role with a permission that the caller does not have.';
REVOKE ALL ON FUNCTION @extschema@.check_role_reach(uuid) FROM PUBLIC;

-- Roles that a tenant makes itself --------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_role(id uuid) RETURNS SETOF @extschema@.role
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT r.id, r.name::text, r.is_built_in, @extschema@.permissions_of(r.id), r.created_at, r.updated_at,
                        NULL::text[], NULL::bigint
                   FROM @extschema@.roles r WHERE r.tenant_id = @extschema@.current_tenant() AND r.id = get_role.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_role(uuid) IS 'One role with what it may do; no row: there is none.';
REVOKE ALL ON FUNCTION @extschema@.get_role(uuid) FROM PUBLIC;

-- Replaces what a role may do; rows that stay are not touched, so the audit shows what changed alone.
CREATE FUNCTION @extschema@.give_permissions(role_id uuid, permissions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    unknown text;
BEGIN
    SELECT asked.permission INTO unknown FROM unnest(give_permissions.permissions) AS asked (permission)
     WHERE NOT EXISTS (SELECT FROM @extschema@.list_permissions() p WHERE p.permission = asked.permission) LIMIT 1;
    IF FOUND THEN
        PERFORM @extschema@.refuse(400, 'unknown', 'unknown permission', format('There is no permission "%s".', left(unknown, 100)),
                                   'GET /api/permissions lists them.', 'permissions');
    END IF;
    DELETE FROM @extschema@.role_permissions
     WHERE role_id = give_permissions.role_id AND permission <> ALL (give_permissions.permissions);
    INSERT INTO @extschema@.role_permissions (role_id, permission)
    SELECT DISTINCT give_permissions.role_id, asked.permission FROM unnest(give_permissions.permissions) AS asked (permission)
        ON CONFLICT DO NOTHING;
    PERFORM @extschema@.check_role_reach(give_permissions.role_id);
END $$;
COMMENT ON FUNCTION @extschema@.give_permissions(uuid, text[]) IS
'Lets a role do exactly this. Errors: RG400 unknown permission; RG403 more than the caller may.';
REVOKE ALL ON FUNCTION @extschema@.give_permissions(uuid, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_role(name @extschema@.label_input, permissions text[]) RETURNS SETOF @extschema@.role
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_id uuid;
BEGIN
    INSERT INTO @extschema@.roles (name) VALUES (create_role.name) ON CONFLICT DO NOTHING RETURNING roles.id INTO new_id;
    IF new_id IS NULL THEN
        PERFORM @extschema@.refuse(409, 'duplicate', 'role name is taken', NULL, NULL, 'name');
    END IF;
    PERFORM @extschema@.give_permissions(new_id, create_role.permissions);
    RETURN QUERY SELECT * FROM @extschema@.get_role(new_id);
END $$;
COMMENT ON FUNCTION @extschema@.create_role(@extschema@.label_input, text[]) IS
'Makes a role of the tenant''s own. Errors: RG400 unknown permission; RG403 more than the caller may; RG409 the name is taken.';
REVOKE ALL ON FUNCTION @extschema@.create_role(@extschema@.label_input, text[]) FROM PUBLIC;

-- Locks one of the tenant's own roles; false: there is none.
CREATE FUNCTION @extschema@.role_to_change(id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    is_fixed boolean;
BEGIN
    SELECT r.is_built_in INTO is_fixed FROM @extschema@.roles r
     WHERE r.tenant_id = @extschema@.current_tenant() AND r.id = role_to_change.id FOR UPDATE;
    IF is_fixed THEN
        PERFORM @extschema@.refuse(409, 'built_in', 'built-in roles cannot be changed');
    ELSIF is_fixed IS NOT NULL THEN
        PERFORM @extschema@.check_role_reach(role_to_change.id);
    END IF;
    RETURN is_fixed IS NOT NULL;
END $$;
COMMENT ON FUNCTION @extschema@.role_to_change(uuid) IS
'Locks a role for a change. Errors: RG409 built_in; RG403 it can do more than the caller.';
REVOKE ALL ON FUNCTION @extschema@.role_to_change(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_role(id uuid, name @extschema@.label_input DEFAULT NULL, permissions text[] DEFAULT NULL)
RETURNS SETOF @extschema@.role
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT @extschema@.role_to_change(update_role.id) THEN
        RETURN;
    END IF;
    IF update_role.name IS NOT NULL THEN
        UPDATE @extschema@.roles r SET name = update_role.name WHERE r.id = update_role.id;
    END IF;
    IF update_role.permissions IS NOT NULL THEN
        PERFORM @extschema@.give_permissions(update_role.id, update_role.permissions);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_role(update_role.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_role(uuid, @extschema@.label_input, text[]) IS
'Changes a role of the tenant''s own; its holders may do the new things at once. Errors: RG400 unknown permission; RG403 more than '
'the caller may; RG409 built_in, the name is taken.';
REVOKE ALL ON FUNCTION @extschema@.update_role(uuid, @extschema@.label_input, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.delete_role(id uuid) RETURNS SETOF @extschema@.role
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    gone @extschema@.role;
BEGIN
    IF NOT @extschema@.role_to_change(delete_role.id) THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM @extschema@.users u WHERE u.role_id = delete_role.id) THEN
        PERFORM @extschema@.refuse(409, 'in_use', 'role is held by users', NULL, 'Give them another role first.');
    END IF;
    SELECT r.* INTO gone FROM @extschema@.get_role(delete_role.id) r;
    DELETE FROM @extschema@.roles r WHERE r.id = delete_role.id;
    RETURN NEXT gone;
END $$;
COMMENT ON FUNCTION @extschema@.delete_role(uuid) IS
'Removes a role of the tenant''s own that nobody holds. Errors: RG403 it can do more than the caller; RG409 built_in, in_use.';
REVOKE ALL ON FUNCTION @extschema@.delete_role(uuid) FROM PUBLIC;

INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, read_only, lane)
VALUES
    ('GET', '/api/permissions', 'list_permissions', 'roles.read', 'list', 200, NULL, 'Permissions', true, 'read'),
    ('GET', '/api/roles', 'list_roles', 'roles.read', 'list', 200, NULL, 'Roles', true, 'read'),
    ('POST', '/api/roles', 'create_role', 'roles.write', 'object', 201, '/api/roles/{id}', 'Role created', false, 'write'),
    ('GET', '/api/roles/{id}', 'get_role', 'roles.read', 'object', 200, NULL, 'Role', true, 'read'),
    ('PATCH', '/api/roles/{id}', 'update_role', 'roles.write', 'object', 200, NULL, 'Role changed', false, 'write'),
    ('DELETE', '/api/roles/{id}', 'delete_role', 'roles.write', 'object', 200, NULL, 'Role deleted', false, 'write');
-- Users. Nobody gives a role that can do more than his own, nor changes who holds one: users.write alone must not lead to
-- tenant_admin. A user who goes stays as a row (is_active), since visits and the audit name him.
-- The policies hold for everybody but a superuser; tenant_id stands in the queries for the DBA who calls as one.

CREATE TYPE @extschema@.account AS (
    id uuid, user_name text, first_name text, last_name text, email text, mobile text, role text, is_active boolean,
    last_login_at timestamptz, password_changed_at timestamptz, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.account IS 'A user as the API answers it; never with a password''s hash.';

CREATE FUNCTION @extschema@.list_users(search @extschema@.search_input DEFAULT NULL, role text DEFAULT NULL,
    is_active boolean DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH matching AS NOT MATERIALIZED (
        SELECT u.*, r.name AS role_name FROM @extschema@.users u JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
         WHERE u.tenant_id = @extschema@.current_tenant()
           AND (list_users.role IS NULL OR lower(r.name) = lower(list_users.role))
           AND (list_users.is_active IS NULL OR u.is_active = list_users.is_active)
           AND (list_users.search IS NULL OR list_users.search = ''
                OR position(@extschema@.fold_search(list_users.search)
                            IN @extschema@.fold_search(concat_ws(' ', u.user_name, u.first_name, u.last_name, u.email))) > 0)
           AND (list_users.after IS NULL OR (u.login_name, u.id) > (list_users.after[1], list_users.after[2]::uuid)))
    SELECT m.id, m.user_name::text, m.first_name::text, m.last_name::text, m.email::text, m.mobile::text, m.role_name::text,
           m.is_active, m.last_login_at, m.password_changed_at, m.created_at, m.updated_at,
           ARRAY[m.login_name, m.id::text],
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      FROM matching m ORDER BY m.login_name, m.id LIMIT page_limit OFFSET page_offset;
END $$;
COMMENT ON FUNCTION @extschema@.list_users(@extschema@.search_input, text, boolean, int, int, text[], boolean) IS
'Users by user name. Filters: search (in user name, names and e-mail), role, is_active.';
REVOKE ALL ON FUNCTION @extschema@.list_users(@extschema@.search_input, text, boolean, int, int, text[], boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT u.id, u.user_name::text, u.first_name::text, u.last_name::text, u.email::text, u.mobile::text,
                        r.name::text, u.is_active, u.last_login_at, u.password_changed_at, u.created_at, u.updated_at,
                        NULL::text[], NULL::bigint
                   FROM @extschema@.users u JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
                  WHERE u.tenant_id = @extschema@.current_tenant() AND u.id = get_user.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_user(uuid) IS 'One user, active or not; no row: there is none.';
REVOKE ALL ON FUNCTION @extschema@.get_user(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_user(user_name @extschema@.user_name_input, password @extschema@.password_input,
    role @extschema@.label_input, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    role_id CONSTANT uuid := @extschema@.role_to_give(create_user.role);
    new_id uuid;
BEGIN
    PERFORM @extschema@.check_password(create_user.password, create_user.user_name);
    INSERT INTO @extschema@.users (user_name, password_hash, role_id, first_name, last_name, email, mobile)
    VALUES (create_user.user_name, @extschema@.hash_password(normalize(create_user.password, NFC)), role_id,
            create_user.first_name, create_user.last_name, create_user.email, create_user.mobile)
        ON CONFLICT DO NOTHING RETURNING users.id INTO new_id;
    IF new_id IS NULL THEN
        PERFORM @extschema@.refuse(409, 'duplicate', 'user name is taken', NULL, NULL, 'user_name');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(new_id);
END $$;
COMMENT ON FUNCTION @extschema@.create_user(@extschema@.user_name_input, @extschema@.password_input, @extschema@.label_input,
    @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input, @extschema@.mobile_input) IS
'Makes a user who may log in at once. Errors: RG400 unknown role, weak password; RG403 a role that can do more than the '
'caller''s; RG409 the user name is taken, without regard to case. Callers: tenant_admin; a DBA in a tenant''s context.';
REVOKE ALL ON FUNCTION @extschema@.create_user(@extschema@.user_name_input, @extschema@.password_input, @extschema@.label_input,
    @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input, @extschema@.mobile_input) FROM PUBLIC;

-- Who may be changed by the caller: somebody whose role is within his own. No row: no such user.
CREATE FUNCTION @extschema@.user_to_change(id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    role_id uuid;
BEGIN
    SELECT u.role_id INTO role_id FROM @extschema@.users u
     WHERE u.tenant_id = @extschema@.current_tenant() AND u.id = user_to_change.id FOR NO KEY UPDATE;
    IF FOUND THEN
        PERFORM @extschema@.check_role_reach(role_id);
    END IF;
    RETURN role_id IS NOT NULL;
END $$;
COMMENT ON FUNCTION @extschema@.user_to_change(uuid) IS
'Locks a user for a change; false: there is none. Errors: RG403 the user''s role can do more than the caller''s.';
REVOKE ALL ON FUNCTION @extschema@.user_to_change(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.end_sessions(user_id uuid, but_session uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.sessions SET revoked_at = now()
     WHERE user_id = end_sessions.user_id AND revoked_at IS NULL AND id IS DISTINCT FROM end_sessions.but_session;
END $$;
COMMENT ON FUNCTION @extschema@.end_sessions(uuid, uuid) IS 'Ends a user''s sessions, all but one: their tokens are refused from now on.';
REVOKE ALL ON FUNCTION @extschema@.end_sessions(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_user(id uuid, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL, role @extschema@.label_input DEFAULT NULL, is_active boolean DEFAULT NULL,
    password @extschema@.password_input DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    new_role_id uuid;
BEGIN
    IF NOT @extschema@.user_to_change(update_user.id) THEN
        RETURN;
    END IF;
    IF 'role' = ANY (given) AND update_user.role IS NULL THEN
        PERFORM @extschema@.refuse(400, 'required', 'value is missing', field => 'role');
    END IF;
    IF update_user.id = @extschema@.current_user_id() AND (update_user.role IS NOT NULL OR NOT update_user.is_active) THEN
        PERFORM @extschema@.refuse(409, 'own_account', 'nobody changes his own role or closes his own account');
    END IF;
    IF update_user.role IS NOT NULL THEN
        new_role_id := @extschema@.role_to_give(update_user.role);
    END IF;
    IF update_user.password IS NOT NULL THEN
        PERFORM @extschema@.check_password(update_user.password,
                                           (SELECT u.user_name::text FROM @extschema@.users u WHERE u.id = update_user.id));
    END IF;
    UPDATE @extschema@.users u
       SET first_name = CASE WHEN 'first_name' = ANY (given) THEN update_user.first_name ELSE coalesce(update_user.first_name, u.first_name) END,
           last_name = CASE WHEN 'last_name' = ANY (given) THEN update_user.last_name ELSE coalesce(update_user.last_name, u.last_name) END,
           email = CASE WHEN 'email' = ANY (given) THEN update_user.email ELSE coalesce(update_user.email, u.email) END,
           mobile = CASE WHEN 'mobile' = ANY (given) THEN update_user.mobile ELSE coalesce(update_user.mobile, u.mobile) END,
           role_id = coalesce(new_role_id, u.role_id),
           is_active = coalesce(update_user.is_active, u.is_active),
           password_hash = CASE WHEN update_user.password IS NULL THEN u.password_hash
                                ELSE @extschema@.hash_password(normalize(update_user.password, NFC)) END,
           password_changed_at = CASE WHEN update_user.password IS NULL THEN u.password_changed_at ELSE now() END
     WHERE u.id = update_user.id;
    IF update_user.password IS NOT NULL OR NOT update_user.is_active THEN
        PERFORM @extschema@.end_sessions(update_user.id);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(update_user.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_user(uuid, @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input,
    @extschema@.mobile_input, @extschema@.label_input, boolean, @extschema@.password_input, text[]) IS
'Changes a user. A new password, and is_active false, end the user''s sessions. Errors: RG403 the user''s role or the new one can '
'do more than the caller''s; RG409 own_account.';
REVOKE ALL ON FUNCTION @extschema@.update_user(uuid, @extschema@.person_name_input, @extschema@.person_name_input, @extschema@.email_input,
    @extschema@.mobile_input, @extschema@.label_input, boolean, @extschema@.password_input, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.delete_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.update_user(delete_user.id, is_active => false);
END $$;
COMMENT ON FUNCTION @extschema@.delete_user(uuid) IS
'Closes a user''s account and ends the sessions; the row stays, since visits and the audit name it. Errors as update_user.';
REVOKE ALL ON FUNCTION @extschema@.delete_user(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.unlock_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- Else whoever may unlock could try an administrator's passwords without end, four at a time.
    IF @extschema@.user_to_change(unlock_user.id) THEN
        PERFORM @extschema@.clear_login_attempts(@extschema@.current_tenant()::text, u.login_name)
           FROM @extschema@.users u WHERE u.tenant_id = @extschema@.current_tenant() AND u.id = unlock_user.id;
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(unlock_user.id);
END $$;
COMMENT ON FUNCTION @extschema@.unlock_user(uuid) IS
'Lets a user log in again who is locked after failed attempts. Errors: RG403 the user''s role can do more than the caller''s.';
REVOKE ALL ON FUNCTION @extschema@.unlock_user(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.sign_out_user(id uuid) RETURNS SETOF @extschema@.account
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF @extschema@.user_to_change(sign_out_user.id) THEN
        PERFORM @extschema@.end_sessions(sign_out_user.id);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_user(sign_out_user.id);
END $$;
COMMENT ON FUNCTION @extschema@.sign_out_user(uuid) IS 'Ends all sessions of a user. Errors: RG403 the user''s role can do more than the caller''s.';
REVOKE ALL ON FUNCTION @extschema@.sign_out_user(uuid) FROM PUBLIC;

INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, read_only, lane)
VALUES
    ('GET', '/api/users', 'list_users', 'users.read', 'list', 200, NULL, 'Users', true, 'read'),
    ('POST', '/api/users', 'create_user', 'users.write', 'object', 201, '/api/users/{id}', 'User created', false, 'write'),
    ('GET', '/api/users/{id}', 'get_user', 'users.read', 'object', 200, NULL, 'User', true, 'read'),
    ('PATCH', '/api/users/{id}', 'update_user', 'users.write', 'object', 200, NULL, 'User changed', false, 'write'),
    ('DELETE', '/api/users/{id}', 'delete_user', 'users.write', 'object', 200, NULL, 'User closed', false, 'write'),
    ('POST', '/api/users/{id}/unlock', 'unlock_user', 'users.write', 'object', 200, NULL, 'User unlocked', false, 'write'),
    ('POST', '/api/users/{id}/sign-out', 'sign_out_user', 'users.write', 'object', 200, NULL, 'User signed out', false, 'write');
-- Logging in and out. A wrong tenant, a wrong user name, a wrong password and a closed account are one answer that takes one
-- time; a failed attempt must stay counted, so these functions answer themselves (type answer) instead of raising.
-- A refresh token is opaque: tenant, session and 32 random bytes, kept as a digest. It is good once; who shows it a second
-- time, or a thief of it, ends the session for both.

CREATE FUNCTION @extschema@.json_answer(status int, body json, headers text[] DEFAULT '{}') RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ROW(status, 'application/json; charset=utf-8', headers, convert_to(body::text, 'UTF8'))::@extschema@.answer;
END $$;
COMMENT ON FUNCTION @extschema@.json_answer(int, json, text[]) IS 'An answer with a JSON body.';
REVOKE ALL ON FUNCTION @extschema@.json_answer(int, json, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.success(message text, data json) RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- What carries a token is nobody's to keep (RFC 6749, 5.1).
    RETURN @extschema@.json_answer(200, json_build_object('responseCode', 'S', 'responseMessage', message, 'data', data),
                                   ARRAY['Cache-Control', 'no-store']);
END $$;
COMMENT ON FUNCTION @extschema@.success(text, json) IS 'The envelope of a success as an answer.';
REVOKE ALL ON FUNCTION @extschema@.success(text, json) FROM PUBLIC;

CREATE FUNCTION @extschema@.refusal(status int, code text, message text, headers text[] DEFAULT '{}', field text DEFAULT NULL)
RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.json_answer(status, json_build_object('responseCode', 'E', 'responseMessage', message, 'code', code,
        'errors', CASE WHEN field IS NULL THEN '[]'::json
                       ELSE json_build_array(json_build_object('field', field, 'code', code, 'message', message)) END,
        'requestId', nullif(current_setting('app.request_id', true), '')), headers);
END $$;
COMMENT ON FUNCTION @extschema@.refusal(int, text, text, text[], text) IS
'The envelope of a refusal as an answer: unlike refuse() it lets what was written stay.';
REVOKE ALL ON FUNCTION @extschema@.refusal(int, text, text, text[], text) FROM PUBLIC;

CREATE FUNCTION @extschema@.locked_answer(locked_until timestamptz) RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.refusal(423, 'locked', 'too many failed attempts, try again later',
        ARRAY['Retry-After', greatest(1, ceil(extract(epoch FROM locked_until - clock_timestamp())))::int::text]);
END $$;
COMMENT ON FUNCTION @extschema@.locked_answer(timestamptz) IS 'The answer to an attempt while the name is locked.';
REVOKE ALL ON FUNCTION @extschema@.locked_answer(timestamptz) FROM PUBLIC;

CREATE FUNCTION @extschema@.rfc3339(moment timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN rtrim(rtrim(to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z';
END $$;
COMMENT ON FUNCTION @extschema@.rfc3339(timestamptz) IS 'A moment in UTC as the dispatcher writes it (RFC 3339).';
REVOKE ALL ON FUNCTION @extschema@.rfc3339(timestamptz) FROM PUBLIC;

-- Who am I --------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.userinfo AS (
    id uuid, user_name text, first_name text, last_name text, email text, mobile text, role text, permissions text[],
    tenant__id uuid, tenant__code text, tenant__name text, tenant__kind text, tenant__country text, tenant__time_zone text,
    tenant__state text, last_login_at timestamptz, password_changed_at timestamptz);
COMMENT ON TYPE @extschema@.userinfo IS 'The user of a token, the rights of now and the tenant.';

CREATE FUNCTION @extschema@.userinfo() RETURNS SETOF @extschema@.userinfo
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT u.id, u.user_name::text, u.first_name::text, u.last_name::text, u.email::text, u.mobile::text,
                        r.name::text, @extschema@.permissions_of(r.id), t.id, t.code::text, t.name::text, t.kind::text,
                        t.country::text, t.time_zone::text, t.state::text, u.last_login_at, u.password_changed_at
                   FROM @extschema@.users u
                   JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
                   JOIN @extschema@.tenants t ON t.id = u.tenant_id
                  WHERE u.id = @extschema@.current_user_id();
END $$;
COMMENT ON FUNCTION @extschema@.userinfo() IS 'The user of the token with role and permissions of now, and the tenant.';
REVOKE ALL ON FUNCTION @extschema@.userinfo() FROM PUBLIC;

-- Tokens ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.new_refresh_token(session_id uuid) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.base64url(uuid_send(@extschema@.current_tenant()) || uuid_send(session_id) || @extschema@.random_bytes(32));
END $$;
COMMENT ON FUNCTION @extschema@.new_refresh_token(uuid) IS 'A refresh token of a session of the tenant: 86 characters.';
REVOKE ALL ON FUNCTION @extschema@.new_refresh_token(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.token_data(session_id uuid, refresh_token text) RETURNS json
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me record;
    signed record;
BEGIN
    SELECT i.* INTO STRICT me FROM @extschema@.userinfo() i;
    SELECT s.* INTO STRICT signed FROM @extschema@.sign_token(me.id, token_data.session_id, me.role) s;
    RETURN json_build_object('token', signed.token, 'expiresAt', @extschema@.rfc3339(signed.expires_at),
        'refreshToken', token_data.refresh_token,
        'user', json_build_object('id', me.id, 'userName', me.user_name, 'firstName', me.first_name, 'lastName', me.last_name,
            'role', me.role, 'permissions', me.permissions,
            'tenant', json_build_object('id', me.tenant__id, 'code', me.tenant__code, 'name', me.tenant__name)));
END $$;
COMMENT ON FUNCTION @extschema@.token_data(uuid, text) IS 'What a login and a refresh answer: a new access token of the current user.';
REVOKE ALL ON FUNCTION @extschema@.token_data(uuid, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.wrong_credentials() RETURNS @extschema@.answer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN @extschema@.refusal(401, 'invalid_credentials', 'wrong tenant, user name or password', ARRAY['WWW-Authenticate', 'Bearer']);
END $$;
COMMENT ON FUNCTION @extschema@.wrong_credentials() IS 'The one answer to whatever is wrong about a login.';
REVOKE ALL ON FUNCTION @extschema@.wrong_credentials() FROM PUBLIC;

CREATE FUNCTION @extschema@.login(tenant text, user_name text, password text) RETURNS @extschema@.answer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tenant_id CONSTANT uuid := @extschema@.find_tenant(login.tenant);
    -- Code and id of a tenant, and all spellings of a name, share one counter.
    tenant_key CONSTANT text := coalesce(tenant_id::text, login.tenant);
    login_key CONSTANT text := @extschema@.fold_search(login.user_name);
    typed CONSTANT text := normalize(login.password, NFC);
    locked_until CONSTANT timestamptz := @extschema@.count_login_attempt(tenant_key, login_key);
    known record;
    is_right boolean;
    session_id CONSTANT uuid := @extschema@.uuid_v7();
    refresh_token text;
BEGIN
    IF locked_until IS NOT NULL THEN
        RETURN @extschema@.locked_answer(locked_until);
    END IF;
    IF tenant_id IS NOT NULL THEN
        -- The one time that a public route chooses its tenant; from here on the policies hold.
        PERFORM set_config('app.tenant_id', tenant_id::text, true);
        SELECT u.id, u.password_hash, u.is_active, r.name AS role INTO known
          FROM @extschema@.users u JOIN @extschema@.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
         WHERE u.tenant_id = @extschema@.current_tenant() AND u.login_name = login_key;
        is_right := @extschema@.verify_password(typed, known.password_hash) AND known.is_active;
    ELSE
        is_right := @extschema@.verify_password(typed, NULL);
    END IF;
    IF is_right IS NOT TRUE THEN
        RETURN @extschema@.wrong_credentials();
    END IF;

    PERFORM @extschema@.clear_login_attempts(tenant_key, login_key);
    PERFORM set_config('app.user_id', known.id::text, true), set_config('app.user_role', known.role::text, true);
    UPDATE @extschema@.users u
       SET last_login_at = now(),
           password_hash = CASE WHEN known.password_hash LIKE '$y$%' THEN u.password_hash ELSE @extschema@.hash_password(typed) END
     WHERE u.id = known.id;
    DELETE FROM @extschema@.sessions WHERE user_id = known.id AND expires_at < now() - interval '1 day';
    refresh_token := @extschema@.new_refresh_token(session_id);
    INSERT INTO @extschema@.sessions (id, user_id, refresh_hash, client_address, expires_at)
    VALUES (session_id, known.id, sha256(convert_to(refresh_token, 'UTF8')),
            nullif(current_setting('app.client_address', true), '')::inet, now() + interval '30 days');
    RETURN @extschema@.success('Signed in', @extschema@.token_data(session_id, refresh_token));
END $$;
COMMENT ON FUNCTION @extschema@.login(text, text, text) IS
'Checks a password and begins a session. Answers 401 invalid_credentials for whatever is wrong, 423 locked with Retry-After '
'after five failures in a quarter of an hour, known name or not. tenant is a code or an id.';
REVOKE ALL ON FUNCTION @extschema@.login(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.refresh(refresh_token text) RETURNS @extschema@.answer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    shown CONSTANT bytea := sha256(convert_to(refresh.refresh_token, 'UTF8'));
    bytes bytea;
    known record;
    next_token text;
    refused CONSTANT @extschema@.answer := @extschema@.refusal(401, 'invalid_refresh_token', 'refresh token is not valid any more',
                                                              ARRAY['WWW-Authenticate', 'Bearer']);
BEGIN
    IF refresh.refresh_token !~ '^[A-Za-z0-9_-]{86}$' THEN
        RETURN refused;
    END IF;
    bytes := decode(translate(refresh.refresh_token, '-_', '+/') || '==', 'base64');
    -- A made-up tenant finds no session: what the text names is no right, the digest is.
    PERFORM set_config('app.tenant_id', encode(substr(bytes, 1, 16), 'hex')::uuid::text, true);
    SELECT s.id, s.user_id, s.refresh_hash, s.used_refresh_hashes, s.revoked_at IS NULL AND s.expires_at > now() AND u.is_active AS is_live
      INTO known
      FROM @extschema@.sessions s JOIN @extschema@.users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
     WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = encode(substr(bytes, 17, 16), 'hex')::uuid FOR UPDATE OF s;
    IF known.is_live IS NOT TRUE THEN
        RETURN refused;
    ELSIF shown = ANY (known.used_refresh_hashes) THEN
        UPDATE @extschema@.sessions SET revoked_at = now() WHERE id = known.id;
        RETURN refused;
    ELSIF shown <> known.refresh_hash THEN
        RETURN refused;
    END IF;
    PERFORM set_config('app.user_id', known.user_id::text, true);
    next_token := @extschema@.new_refresh_token(known.id);
    UPDATE @extschema@.sessions s
       SET refresh_hash = sha256(convert_to(next_token, 'UTF8')), refreshed_at = now(), expires_at = now() + interval '30 days',
           used_refresh_hashes = (array_prepend(s.refresh_hash, s.used_refresh_hashes))[1:20]
     WHERE s.id = known.id;
    RETURN @extschema@.success('Refreshed', @extschema@.token_data(known.id, next_token));
END $$;
COMMENT ON FUNCTION @extschema@.refresh(text) IS
'Exchanges a refresh token for a new pair; it is good once. One of the last twenty shown again ends the session. Answers 401 '
'invalid_refresh_token for whatever is wrong.';
REVOKE ALL ON FUNCTION @extschema@.refresh(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.logout() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.sessions SET revoked_at = now() WHERE id = @extschema@.current_session_id() AND revoked_at IS NULL;
END $$;
COMMENT ON FUNCTION @extschema@.logout() IS
'Ends the session of the token: access and refresh tokens of it are refused from now on. A token without a session is its issuer''s to end.';
REVOKE ALL ON FUNCTION @extschema@.logout() FROM PUBLIC;

CREATE FUNCTION @extschema@.change_password(current_password text, new_password @extschema@.password_input) RETURNS @extschema@.answer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tenant_key CONSTANT text := @extschema@.current_tenant()::text;
    known record;
    locked_until timestamptz;
BEGIN
    SELECT u.id, u.user_name, u.login_name, u.password_hash INTO known
      FROM @extschema@.users u WHERE u.id = @extschema@.current_user_id();
    -- A stolen token must not become a way to try passwords.
    locked_until := @extschema@.count_login_attempt(tenant_key, known.login_name);
    IF locked_until IS NOT NULL THEN
        RETURN @extschema@.locked_answer(locked_until);
    ELSIF NOT @extschema@.verify_password(normalize(change_password.current_password, NFC), known.password_hash) THEN
        RETURN @extschema@.refusal(422, 'wrong_password', 'current password is wrong', '{}', 'currentPassword');
    END IF;
    PERFORM @extschema@.clear_login_attempts(tenant_key, known.login_name);
    PERFORM @extschema@.check_password(change_password.new_password, known.user_name::text);
    UPDATE @extschema@.users u
       SET password_hash = @extschema@.hash_password(normalize(change_password.new_password, NFC)), password_changed_at = now()
     WHERE u.id = known.id;
    PERFORM @extschema@.end_sessions(known.id, @extschema@.current_session_id());
    RETURN @extschema@.success('Password changed', NULL);
END $$;
COMMENT ON FUNCTION @extschema@.change_password(text, @extschema@.password_input) IS
'Changes the caller''s own password and ends the other sessions. Answers 422 wrong_password (counted like a failed login), 423 locked.';
REVOKE ALL ON FUNCTION @extschema@.change_password(text, @extschema@.password_input) FROM PUBLIC;

INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, message, read_only, lane, while_suspended)
VALUES
    ('POST', '/api/auth/login', 'login', 'public', 'answer', 'Signed in', false, 'write', true),
    ('POST', '/api/auth/refresh', 'refresh', 'public', 'answer', 'Refreshed', false, 'write', true),
    ('POST', '/api/auth/logout', 'logout', 'signed_in', 'none', 'Signed out', false, 'write', true),
    ('POST', '/api/auth/change-password', 'change_password', 'signed_in', 'answer', 'Password changed', false, 'write', true),
    ('GET', '/api/auth/userinfo', 'userinfo', 'signed_in', 'object', 'User', true, 'read', false);
-- Sites: a tenant's premises, their days and their fullness. A day is the site's (else the tenant's zone), never the
-- server's; who is inside is always counted from open visits, never kept as a number that could drift.

CREATE TYPE @extschema@.site AS (
    id uuid, name text, time_zone text, effective_time_zone text, capacity int, ask_host boolean, is_active boolean,
    created_at timestamptz, updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.site IS
'A site as the API answers it; time_zone is null where the tenant''s holds, effective_time_zone is what holds.';

CREATE TYPE @extschema@.site_occupancy AS (site_id uuid, capacity int, inside int, open_visits int, free_places int);
COMMENT ON TYPE @extschema@.site_occupancy IS
'How full a site is: people inside (groups count whole), visits they came in, places left (null: no capacity).';

-- Zones and days ---------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.zone_of(site_id uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN coalesce((SELECT s.time_zone::text FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant()
        AND s.id = zone_of.site_id),
                    (SELECT t.time_zone::text FROM @extschema@.tenants t WHERE t.id = @extschema@.current_tenant()));
END $$;
COMMENT ON FUNCTION @extschema@.zone_of(uuid) IS
'The IANA time zone whose days count at this site; without a site the tenant''s.';
REVOKE ALL ON FUNCTION @extschema@.zone_of(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.today_at(site_id uuid DEFAULT NULL) RETURNS date
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (now() AT TIME ZONE @extschema@.zone_of(today_at.site_id))::date;
END $$;
COMMENT ON FUNCTION @extschema@.today_at(uuid) IS
'Which day it is at a site (without one: for the tenant) as this transaction begins.';
REVOKE ALL ON FUNCTION @extschema@.today_at(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.moment_start(moment text, zone text, field text DEFAULT 'from') RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF moment IS NULL THEN
        RETURN NULL;
    ELSIF moment ~ '^\d{4}-\d\d-\d\d$' THEN
        RETURN moment::date::timestamp AT TIME ZONE zone;
    -- PostgreSQL would also take "tomorrow" and read a time without offset in the session's zone.
    ELSIF moment ~* '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$' THEN
        RETURN moment::timestamptz;
    END IF;
    PERFORM @extschema@.refuse(400, 'invalid', 'invalid date or time',
        'A date (2026-11-25) or a time with offset (2026-11-25T10:00:00Z) is asked for.',
                               NULL, field);
    RETURN NULL;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    PERFORM @extschema@.refuse(400, 'invalid', 'invalid date or time', 'There is no such day or time.', NULL, field);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.moment_start(text, text, text) IS
'Where a date begins in a zone, or the instant itself. Errors: RG400 neither an ISO date nor an instant with offset.';
REVOKE ALL ON FUNCTION @extschema@.moment_start(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.moment_end(moment text, zone text, field text DEFAULT 'to') RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    start timestamptz := @extschema@.moment_start(moment, zone, field);
BEGIN
    -- The next day is asked of the calendar: a day may have 23 or 25 hours.
    IF moment ~ '^\d{4}-\d\d-\d\d$' THEN
        RETURN (moment::date + 1)::timestamp AT TIME ZONE zone;
    END IF;
    RETURN start;
END $$;
COMMENT ON FUNCTION @extschema@.moment_end(text, text, text) IS
'The first instant after a date in a zone (a date is inclusive), or the instant itself (exclusive).';
REVOKE ALL ON FUNCTION @extschema@.moment_end(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.site_or_only(site_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found_sites uuid[];
BEGIN
    IF site_or_only.site_id IS NOT NULL THEN
        PERFORM FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = site_or_only.site_id;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such site', NULL, NULL, 'site_id');
        END IF;
        RETURN site_or_only.site_id;
    END IF;
    found_sites := ARRAY(SELECT s.id FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant()
        AND s.is_active LIMIT 2);
    IF cardinality(found_sites) <> 1 THEN
        PERFORM @extschema@.refuse(400, 'required', 'a site is needed',
            'It may be left out only where the tenant has one active site.', NULL, 'site_id');
    END IF;
    RETURN found_sites[1];
END $$;
COMMENT ON FUNCTION @extschema@.site_or_only(uuid) IS
'The site that was named, or the only active one. Errors: RG404 no such site, RG400 none was named and there are several.';
REVOKE ALL ON FUNCTION @extschema@.site_or_only(uuid) FROM PUBLIC;

-- Reading ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.site_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.id, s.name::text, s.time_zone::text, @extschema@.zone_of(s.id), s.capacity, s.ask_host, s.is_active,
        s.created_at, s.updated_at,
           ARRAY[s.name::text, s.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.sites s ON s.tenant_id = @extschema@.current_tenant() AND s.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.site_rows(uuid[], bigint) IS
'Rows of these sites in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.site_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_site(id uuid) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.site_rows(ARRAY[get_site.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_site(uuid) IS 'One site. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_site(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/sites/{id}', 'get_site', 'sites.read', 'object', 200, 'Site', true, 'read');

CREATE FUNCTION @extschema@.list_sites(is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT s.id, s.name::text AS name FROM @extschema@.sites s
         WHERE s.tenant_id = @extschema@.current_tenant()
             AND (list_sites.is_active IS NULL OR s.is_active = list_sites.is_active)
           AND (after IS NULL OR (s.name::text, s.id) > (after[1], after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.site_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_sites(boolean, int, int, text[], boolean) IS
'The tenant''s sites by name; is_active null shows closed ones too. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_sites(boolean, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/sites', 'list_sites', 'sites.read', 'list', 200, 'Sites', true, 'read');

CREATE FUNCTION @extschema@.get_site_occupancy(id uuid) RETURNS SETOF @extschema@.site_occupancy
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.id, s.capacity, o.people::int, o.visits::int, (s.capacity - o.people)::int
      FROM @extschema@.sites s
     CROSS JOIN LATERAL (SELECT coalesce(sum(v.group_size), 0) AS people, count(*) AS visits FROM @extschema@.visits v
                          WHERE v.tenant_id = @extschema@.current_tenant() AND v.site_id = s.id
                              AND v.state = 'checked_in') o
     WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = get_site_occupancy.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_site_occupancy(uuid) IS
'People inside a site now, whatever day they came, and the places left. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_site_occupancy(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/sites/{id}/occupancy', 'get_site_occupancy', 'visits.read', 'object', 200, 'Occupancy', true, 'read');

CREATE FUNCTION @extschema@.check_time_zone(time_zone text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT @extschema@.is_time_zone(time_zone) THEN
        PERFORM @extschema@.refuse(400, 'unknown', 'unknown time zone', NULL,
            'Use a name of the IANA database, as Asia/Kolkata.',
                                   'time_zone');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_time_zone(text) IS
'Refuses what is no name of the IANA time zone database: PostgreSQL would take "IST" for Israel. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.check_time_zone(text) FROM PUBLIC;

-- Writing ----------------------------------------------------------------------------------------------------------
-- In every PATCH function of the product: a member that was given is taken as it is, null too. What may not be null is the
-- column's to say (23502 names the column, the dispatcher answers 400 with that field). Without `given`, for a DBA, null means: leave it.

CREATE FUNCTION @extschema@.create_site(name @extschema@.label_input, time_zone @extschema@.time_zone_input DEFAULT NULL,
    capacity int DEFAULT NULL, ask_host boolean DEFAULT false) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_site.name := @extschema@.normalize_label(create_site.name);
    PERFORM @extschema@.check_time_zone(create_site.time_zone);
    INSERT INTO @extschema@.sites (name, time_zone, capacity, ask_host)
    VALUES (create_site.name, create_site.time_zone, create_site.capacity, coalesce(create_site.ask_host, false))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_site(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_site(@extschema@.label_input, @extschema@.time_zone_input, int, boolean) IS
'Makes a site; time_zone is an IANA name, null takes the tenant''s; capacity null is no limit. Errors: RG400, RG409 name '
'taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_site(@extschema@.label_input, @extschema@.time_zone_input, int, boolean)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/sites', 'create_site', 'sites.write', 'object', 201, '/api/sites/{id}',
    'Site created', false, 'write');

CREATE FUNCTION @extschema@.update_site(id uuid, name @extschema@.label_input DEFAULT NULL,
    time_zone @extschema@.time_zone_input DEFAULT NULL,
    capacity int DEFAULT NULL, ask_host boolean DEFAULT NULL, is_active boolean DEFAULT NULL,
    given text[] DEFAULT NULL) RETURNS SETOF @extschema@.site
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    open_visits bigint;
BEGIN
    update_site.name := @extschema@.normalize_label(update_site.name);
    PERFORM @extschema@.check_time_zone(update_site.time_zone);
    IF update_site.is_active = false THEN
        SELECT count(*) INTO open_visits FROM @extschema@.visits v WHERE v.tenant_id = @extschema@.current_tenant()
            AND v.site_id = update_site.id
            AND v.state IN ('pending', 'checked_in');
        IF open_visits > 0 THEN
            PERFORM @extschema@.refuse(409, 'in_use', 'site has open visits', NULL,
                'Check everybody out before the site is closed.', NULL,
                                       jsonb_build_object('openVisits', open_visits));
        END IF;
    END IF;
    UPDATE @extschema@.sites s SET
        name = CASE WHEN 'name' = ANY (given) THEN update_site.name ELSE coalesce(update_site.name, s.name) END,
        time_zone = CASE WHEN 'time_zone' = ANY (given) THEN update_site.time_zone
            ELSE coalesce(update_site.time_zone, s.time_zone) END,
        capacity = CASE WHEN 'capacity' = ANY (given) THEN update_site.capacity
            ELSE coalesce(update_site.capacity, s.capacity) END,
        ask_host = CASE WHEN 'ask_host' = ANY (given) THEN update_site.ask_host
            ELSE coalesce(update_site.ask_host, s.ask_host) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_site.is_active
            ELSE coalesce(update_site.is_active, s.is_active) END
     WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = update_site.id;
    RETURN QUERY SELECT * FROM @extschema@.get_site(update_site.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_site(uuid, @extschema@.label_input, @extschema@.time_zone_input, int, boolean,
    boolean, text[]) IS
'Changes a site; time_zone and capacity can be cleared. Errors: RG400, RG404, RG409 name taken or closing with open '
'visits. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_site(uuid, @extschema@.label_input, @extschema@.time_zone_input, int, boolean,
    boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/sites/{id}', 'update_site', 'sites.write', 'object', 200, 'Site changed', false, 'write');
-- Locations: the tree of buildings, floors and units at a site. Nothing is deleted: visitors, hosts and visits point at
-- these rows for as long as anybody looks back.

CREATE TYPE @extschema@.location AS (
    id uuid, site_id uuid, parent_id uuid, kind text, name text, is_active boolean, created_at timestamptz,
    updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.location IS 'A building, a floor or a unit as the API answers it.';

CREATE FUNCTION @extschema@.location_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT l.id, l.site_id, l.parent_id, l.kind::text, l.name::text, l.is_active, l.created_at, l.updated_at,
           ARRAY[l.name::text, l.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.locations l ON l.tenant_id = @extschema@.current_tenant() AND l.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.location_rows(uuid[], bigint) IS
'Rows of these locations in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.location_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_location(id uuid) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.location_rows(ARRAY[get_location.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_location(uuid) IS 'One location. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_location(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/locations/{id}', 'get_location', 'places.read', 'object', 200, 'Location', true, 'read');

CREATE FUNCTION @extschema@.list_locations(site uuid DEFAULT NULL, parent uuid DEFAULT NULL,
    kind @extschema@.location_kind_input DEFAULT NULL,
    is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT l.id, l.name::text AS name FROM @extschema@.locations l
         WHERE l.tenant_id = @extschema@.current_tenant()
             AND (list_locations.site IS NULL OR l.site_id = list_locations.site)
           AND (list_locations.parent IS NULL OR l.parent_id = list_locations.parent)
           AND (list_locations.kind IS NULL OR l.kind = list_locations.kind)
           AND (list_locations.is_active IS NULL OR l.is_active = list_locations.is_active)
           AND (after IS NULL OR (l.name::text, l.id) > (after[1], after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.location_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_locations(uuid, uuid, @extschema@.location_kind_input, boolean, int, int,
    text[], boolean) IS
'Locations by name, of a site, below a parent, of a kind. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_locations(uuid, uuid, @extschema@.location_kind_input, boolean, int, int, text[],
    boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/locations', 'list_locations', 'places.read', 'list', 200, 'Locations', true, 'read');

-- Kinds only descend (building, floor, unit) and neither kind nor site ever changes: so the tree can have no circle.
CREATE FUNCTION @extschema@.check_location_parent(kind text, site_id uuid, parent_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    parent_kind text;
    parent_site uuid;
    fits boolean;
BEGIN
    IF check_location_parent.parent_id IS NOT NULL THEN
        SELECT l.kind::text, l.site_id INTO parent_kind, parent_site FROM @extschema@.locations l
         WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = check_location_parent.parent_id AND l.is_active;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such location', NULL, NULL, 'parent_id');
        ELSIF parent_site <> check_location_parent.site_id THEN
            PERFORM @extschema@.refuse(422, 'other_site', 'the parent stands at another site', NULL, NULL, 'parent_id');
        END IF;
    END IF;
    fits := CASE check_location_parent.kind
                WHEN 'building' THEN check_location_parent.parent_id IS NULL
                WHEN 'floor' THEN parent_kind = 'building'
                ELSE check_location_parent.parent_id IS NULL OR parent_kind IN ('building', 'floor') END;
    IF fits IS NOT TRUE THEN
        PERFORM @extschema@.refuse(422, 'location_kind', 'a location of this kind cannot stand there',
            'Buildings stand at the top, floors in a building, units in a floor, in a building or at the top.',
                NULL, 'parent_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_location_parent(text, uuid, uuid) IS
'Refuses a parent that a location of this kind cannot have. Errors: RG404, RG422.';
REVOKE ALL ON FUNCTION @extschema@.check_location_parent(text, uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_location(kind @extschema@.location_kind_input, name @extschema@.label_input,
    site_id uuid DEFAULT NULL,
    parent_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid := @extschema@.site_or_only(coalesce(create_location.site_id,
        (SELECT l.site_id FROM @extschema@.locations l WHERE l.tenant_id = @extschema@.current_tenant()
            AND l.id = create_location.parent_id)));
    made uuid;
BEGIN
    create_location.name := @extschema@.normalize_label(create_location.name);
    PERFORM @extschema@.check_location_parent(create_location.kind, site, create_location.parent_id);
    INSERT INTO @extschema@.locations (site_id, parent_id, kind, name)
    VALUES (site, create_location.parent_id, create_location.kind, create_location.name) RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_location(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another location there has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_location(@extschema@.location_kind_input, @extschema@.label_input, uuid, uuid) IS
'Adds a building, floor or unit; its site is the parent''s or the only one. Errors: RG404 parent or site, RG409 name, '
'RG422 kind. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_location(@extschema@.location_kind_input, @extschema@.label_input, uuid, uuid)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/locations', 'create_location', 'places.write', 'object', 201, '/api/locations/{id}',
    'Location created', false, 'write');

CREATE FUNCTION @extschema@.update_location(id uuid, name @extschema@.label_input DEFAULT NULL, parent_id uuid DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
    parent uuid;
BEGIN
    update_location.name := @extschema@.normalize_label(update_location.name);
    SELECT l.kind::text AS kind, l.site_id, l.parent_id INTO old FROM @extschema@.locations l
        WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = update_location.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    parent := CASE WHEN 'parent_id' = ANY (given) THEN update_location.parent_id
        ELSE coalesce(update_location.parent_id, old.parent_id) END;
    IF parent IS DISTINCT FROM old.parent_id THEN
        PERFORM @extschema@.check_location_parent(old.kind, old.site_id, parent);
    END IF;
    UPDATE @extschema@.locations l SET
        name = CASE WHEN 'name' = ANY (given) THEN update_location.name ELSE coalesce(update_location.name, l.name) END,
        parent_id = parent,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_location.is_active
            ELSE coalesce(update_location.is_active, l.is_active) END
     WHERE l.tenant_id = @extschema@.current_tenant() AND l.id = update_location.id;
    RETURN QUERY SELECT * FROM @extschema@.get_location(update_location.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another location there has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_location(uuid, @extschema@.label_input, uuid, boolean, text[]) IS
'Renames or moves a location within its site. Errors: RG404, RG409 name, RG422 parent. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_location(uuid, @extschema@.label_input, uuid, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/locations/{id}', 'update_location', 'places.write', 'object', 200,
    'Location changed', false, 'write');

CREATE FUNCTION @extschema@.delete_location(id uuid) RETURNS SETOF @extschema@.location
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    inside int;
    hosts int;
BEGIN
    SELECT count(*) INTO inside FROM @extschema@.locations l WHERE l.tenant_id = @extschema@.current_tenant()
        AND l.parent_id = delete_location.id AND l.is_active;
    SELECT count(*) INTO hosts FROM @extschema@.hosts h WHERE h.tenant_id = @extschema@.current_tenant()
        AND h.location_id = delete_location.id AND h.is_active;
    IF inside > 0 OR hosts > 0 THEN
        PERFORM @extschema@.refuse(409, 'in_use', 'location is in use', NULL,
            'Move or delete first what belongs to it.', NULL,
                                   jsonb_build_object('locations', inside, 'hosts', hosts));
    END IF;
    UPDATE @extschema@.locations l SET is_active = false WHERE l.tenant_id = @extschema@.current_tenant()
        AND l.id = delete_location.id;
    RETURN QUERY SELECT * FROM @extschema@.get_location(delete_location.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_location(uuid) IS
'Takes a location out of use; visits that name it keep it. Errors: RG404, RG409 it holds locations or hosts. Callers: '
'tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_location(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/locations/{id}', 'delete_location', 'places.write', 'object', 200,
    'Location deleted', false, 'write');
-- Gates of a site, each with a direction: in, out or both. A request may leave its gate out where only one goes that way.

CREATE TYPE @extschema@.gate AS (
    id uuid, site_id uuid, name text, direction text, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.gate IS 'A gate as the API answers it; direction is in, out or both.';

CREATE FUNCTION @extschema@.gate_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT g.id, g.site_id, g.name::text, g.direction::text, g.is_active, g.created_at, g.updated_at,
        ARRAY[g.name::text, g.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.gates g ON g.tenant_id = @extschema@.current_tenant() AND g.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.gate_rows(uuid[], bigint) IS
'Rows of these gates in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.gate_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_gate(id uuid) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.gate_rows(ARRAY[get_gate.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_gate(uuid) IS 'One gate. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_gate(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/gates/{id}', 'get_gate', 'places.read', 'object', 200, 'Gate', true, 'read');

CREATE FUNCTION @extschema@.list_gates(site uuid DEFAULT NULL, direction @extschema@.gate_direction_input DEFAULT NULL,
    is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT g.id, g.name::text AS name FROM @extschema@.gates g
         WHERE g.tenant_id = @extschema@.current_tenant() AND (list_gates.site IS NULL OR g.site_id = list_gates.site)
           AND (list_gates.direction IS NULL OR g.direction = list_gates.direction)
           AND (list_gates.is_active IS NULL OR g.is_active = list_gates.is_active)
           AND (after IS NULL OR (g.name::text, g.id) > (after[1], after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.gate_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_gates(uuid, @extschema@.gate_direction_input, boolean, int, int, text[], boolean) IS
'Gates by name, of a site, of a direction. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_gates(uuid, @extschema@.gate_direction_input, boolean, int, int, text[], boolean)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/gates', 'list_gates', 'places.read', 'list', 200, 'Gates', true, 'read');

CREATE FUNCTION @extschema@.create_gate(name @extschema@.label_input, site_id uuid DEFAULT NULL,
    direction @extschema@.gate_direction_input DEFAULT 'both') RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_gate.name := @extschema@.normalize_label(create_gate.name);
    INSERT INTO @extschema@.gates (site_id, name, direction)
    VALUES (@extschema@.site_or_only(create_gate.site_id), create_gate.name, coalesce(create_gate.direction, 'both'))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another gate of the site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_gate(@extschema@.label_input, uuid, @extschema@.gate_direction_input) IS
'Adds a gate to a site (the only one, if none is named). Errors: RG404 site, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_gate(@extschema@.label_input, uuid, @extschema@.gate_direction_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/gates', 'create_gate', 'places.write', 'object', 201, '/api/gates/{id}',
    'Gate created', false, 'write');

CREATE FUNCTION @extschema@.update_gate(id uuid, name @extschema@.label_input DEFAULT NULL,
    direction @extschema@.gate_direction_input DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    update_gate.name := @extschema@.normalize_label(update_gate.name);
    UPDATE @extschema@.gates g SET
        name = CASE WHEN 'name' = ANY (given) THEN update_gate.name ELSE coalesce(update_gate.name, g.name) END,
        direction = CASE WHEN 'direction' = ANY (given) THEN update_gate.direction
            ELSE coalesce(update_gate.direction, g.direction) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_gate.is_active
            ELSE coalesce(update_gate.is_active, g.is_active) END
     WHERE g.tenant_id = @extschema@.current_tenant() AND g.id = update_gate.id;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(update_gate.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another gate of the site has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_gate(uuid, @extschema@.label_input, @extschema@.gate_direction_input,
    boolean, text[]) IS
'Changes a gate. Errors: RG404, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_gate(uuid, @extschema@.label_input, @extschema@.gate_direction_input, boolean,
    text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/gates/{id}', 'update_gate', 'places.write', 'object', 200, 'Gate changed', false, 'write');

CREATE FUNCTION @extschema@.delete_gate(id uuid) RETURNS SETOF @extschema@.gate
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.gates g SET is_active = false WHERE g.tenant_id = @extschema@.current_tenant()
        AND g.id = delete_gate.id;
    RETURN QUERY SELECT * FROM @extschema@.get_gate(delete_gate.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_gate(uuid) IS
'Takes a gate out of use; visits that came through it keep it. Errors: RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_gate(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/gates/{id}', 'delete_gate', 'places.write', 'object', 200, 'Gate deleted', false, 'write');

CREATE FUNCTION @extschema@.gate_or_only(gate_id uuid, site_id uuid, way text) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    gate record;
    found_gates uuid[];
BEGIN
    IF gate_or_only.gate_id IS NOT NULL THEN
        SELECT g.site_id, g.is_active, g.direction::text AS direction INTO gate FROM @extschema@.gates g
            WHERE g.tenant_id = @extschema@.current_tenant() AND g.id = gate_or_only.gate_id;
        IF NOT FOUND THEN
            PERFORM @extschema@.refuse(404, 'not_found', 'no such gate', NULL, NULL, 'gate_id');
        ELSIF gate.site_id <> gate_or_only.site_id THEN
            PERFORM @extschema@.refuse(422, 'other_site', 'the gate stands at another site', NULL, NULL, 'gate_id');
        ELSIF NOT gate.is_active THEN
            PERFORM @extschema@.refuse(422, 'gate_inactive', 'the gate is out of use', NULL, NULL, 'gate_id');
        ELSIF gate.direction NOT IN (way, 'both') THEN
            PERFORM @extschema@.refuse(422, 'gate_direction', 'nobody goes this way through the gate',
                format('Its direction is "%s".', gate.direction),
                                       NULL, 'gate_id');
        END IF;
        RETURN gate_or_only.gate_id;
    END IF;
    found_gates := ARRAY(SELECT g.id FROM @extschema@.gates g WHERE g.tenant_id = @extschema@.current_tenant()
        AND g.site_id = gate_or_only.site_id AND g.is_active
        AND g.direction IN (way, 'both') LIMIT 2);
    IF cardinality(found_gates) = 1 THEN
        RETURN found_gates[1];
    END IF;
    -- Who comes in is seen by a guard at a known gate; who left may have been seen by nobody.
    IF cardinality(found_gates) > 1 AND way = 'in' THEN
        PERFORM @extschema@.refuse(400, 'required', 'a gate is needed',
            'It may be left out only where the site has one gate for this way.', NULL, 'gate_id');
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.gate_or_only(uuid, uuid, text) IS
'The gate that was named, if it stands at the site and lets people go this way (in or out), else the only such gate, else '
'null. Errors: RG400 several and none named on the way in, RG404, RG422.';
REVOKE ALL ON FUNCTION @extschema@.gate_or_only(uuid, uuid, text) FROM PUBLIC;
-- Hosts: residents and employees who receive visitors; they belong to a location and may have a user of their own.

CREATE TYPE @extschema@.host AS (
    id uuid, kind text, first_name text, last_name text, mobile text, email text, location_id uuid,
    location_name text, user_id uuid,
    is_active boolean, created_at timestamptz, updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.host IS 'A resident or employee who receives visitors, as the API answers it.';

CREATE FUNCTION @extschema@.host_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT h.id, h.kind::text, h.first_name::text, h.last_name::text, h.mobile::text, h.email::text, h.location_id,
        l.name::text, h.user_id,
           h.is_active, h.created_at, h.updated_at, ARRAY[h.first_name::text, h.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.hosts h ON h.tenant_id = @extschema@.current_tenant() AND h.id = wanted.id
      LEFT JOIN @extschema@.locations l ON l.tenant_id = h.tenant_id AND l.id = h.location_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.host_rows(uuid[], bigint) IS
'Rows of these hosts in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.host_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_host(id uuid) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.host_rows(ARRAY[get_host.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_host(uuid) IS 'One host. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_host(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/hosts/{id}', 'get_host', 'places.read', 'object', 200, 'Host', true, 'read');

CREATE FUNCTION @extschema@.list_hosts(search @extschema@.search_input DEFAULT NULL,
    kind @extschema@.host_kind_input DEFAULT NULL,
    location uuid DEFAULT NULL, is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    needle text := @extschema@.fold_search(list_hosts.search);
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT h.id, h.first_name::text AS name FROM @extschema@.hosts h
         WHERE h.tenant_id = @extschema@.current_tenant() AND (list_hosts.kind IS NULL OR h.kind = list_hosts.kind)
           AND (list_hosts.location IS NULL OR h.location_id = list_hosts.location)
           AND (list_hosts.is_active IS NULL OR h.is_active = list_hosts.is_active)
           AND (needle IS NULL OR @extschema@.contains(h.search_name, needle))
           AND (after IS NULL OR (h.first_name::text, h.id) > (after[1], after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.host_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_hosts(@extschema@.search_input, @extschema@.host_kind_input, uuid, boolean, int, int,
    text[], boolean) IS
'Hosts by first name; search looks into the whole name without regard to case. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_hosts(@extschema@.search_input, @extschema@.host_kind_input, uuid, boolean, int,
    int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/hosts', 'list_hosts', 'places.read', 'list', 200, 'Hosts', true, 'read');

CREATE FUNCTION @extschema@.create_host(kind @extschema@.host_kind_input, first_name @extschema@.person_name_input,
    last_name @extschema@.person_name_input DEFAULT NULL, mobile @extschema@.mobile_input DEFAULT NULL,
    email @extschema@.email_input DEFAULT NULL,
    location_id uuid DEFAULT NULL, user_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_host.first_name := @extschema@.normalize_person_name(create_host.first_name);
    create_host.last_name := @extschema@.normalize_person_name(create_host.last_name);
    create_host.mobile := @extschema@.normalize_mobile(create_host.mobile, @extschema@.tenant_country());
    create_host.email := @extschema@.normalize_email(create_host.email);
    PERFORM @extschema@.check_host_links(create_host.location_id, create_host.user_id);
    INSERT INTO @extschema@.hosts (kind, first_name, last_name, mobile, email, location_id, user_id)
    VALUES (create_host.kind, create_host.first_name, create_host.last_name, create_host.mobile, create_host.email,
        create_host.location_id, create_host.user_id)
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_host(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_host(@extschema@.host_kind_input, @extschema@.person_name_input,
    @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input, uuid, uuid) IS
'Adds a resident or employee who receives visitors. Errors: RG400, RG404 location or user. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_host(@extschema@.host_kind_input, @extschema@.person_name_input,
    @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input, uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/hosts', 'create_host', 'places.write', 'object', 201, '/api/hosts/{id}',
    'Host created', false, 'write');

CREATE FUNCTION @extschema@.check_host_links(location_id uuid, user_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_host_links.location_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM @extschema@.locations l WHERE l.tenant_id = @extschema@.current_tenant()
            AND l.id = check_host_links.location_id AND l.is_active) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such location', NULL, NULL, 'location_id');
    END IF;
    IF check_host_links.user_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM @extschema@.users u WHERE u.tenant_id = @extschema@.current_tenant()
            AND u.id = check_host_links.user_id) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such user', NULL, NULL, 'user_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_host_links(uuid, uuid) IS
'Refuses a location or user that is not there, by name. Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.check_host_links(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_host(id uuid, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL, location_id uuid DEFAULT NULL,
    user_id uuid DEFAULT NULL,
    is_active boolean DEFAULT NULL, given text[] DEFAULT NULL) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    update_host.first_name := @extschema@.normalize_person_name(update_host.first_name);
    update_host.last_name := @extschema@.normalize_person_name(update_host.last_name);
    update_host.mobile := @extschema@.normalize_mobile(update_host.mobile, @extschema@.tenant_country());
    update_host.email := @extschema@.normalize_email(update_host.email);
    PERFORM @extschema@.check_host_links(update_host.location_id, update_host.user_id);
    UPDATE @extschema@.hosts h SET
        first_name = CASE WHEN 'first_name' = ANY (given) THEN update_host.first_name
            ELSE coalesce(update_host.first_name, h.first_name) END,
        last_name = CASE WHEN 'last_name' = ANY (given) THEN update_host.last_name
            ELSE coalesce(update_host.last_name, h.last_name) END,
        mobile = CASE WHEN 'mobile' = ANY (given) THEN update_host.mobile ELSE coalesce(update_host.mobile, h.mobile) END,
        email = CASE WHEN 'email' = ANY (given) THEN update_host.email ELSE coalesce(update_host.email, h.email) END,
        location_id = CASE WHEN 'location_id' = ANY (given) THEN update_host.location_id
            ELSE coalesce(update_host.location_id, h.location_id) END,
        user_id = CASE WHEN 'user_id' = ANY (given) THEN update_host.user_id
            ELSE coalesce(update_host.user_id, h.user_id) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_host.is_active
            ELSE coalesce(update_host.is_active, h.is_active) END
     WHERE h.tenant_id = @extschema@.current_tenant() AND h.id = update_host.id;
    RETURN QUERY SELECT * FROM @extschema@.get_host(update_host.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_host(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, uuid, boolean, text[]) IS
'Changes a host. Errors: RG400, RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_host(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, uuid, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/hosts/{id}', 'update_host', 'places.write', 'object', 200, 'Host changed', false, 'write');

CREATE FUNCTION @extschema@.delete_host(id uuid) RETURNS SETOF @extschema@.host
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.hosts h SET is_active = false WHERE h.tenant_id = @extschema@.current_tenant()
        AND h.id = delete_host.id;
    RETURN QUERY SELECT * FROM @extschema@.get_host(delete_host.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_host(uuid) IS
'Takes a host out of use; visits keep the name. Errors: RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_host(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/hosts/{id}', 'delete_host', 'places.write', 'object', 200, 'Host deleted', false, 'write');
-- Vocabularies of a tenant: categories of visitors and purposes (of a kind). Names are unique among the active ones
-- without regard to case: two spellings of one word would split every statistic. A purpose that is not listed stays free
-- text in its own column of the visit.

CREATE TYPE @extschema@.visitor_category AS (
    id uuid, name text, asks_mobile boolean, position int, is_default boolean, is_active boolean, created_at timestamptz,
    updated_at timestamptz,
    _cursor text[], _total bigint, _etag text);
COMMENT ON TYPE @extschema@.visitor_category IS
'A category of visitors as the API answers it; asks_mobile: its visitors must give a mobile.';

CREATE TYPE @extschema@.purpose AS (
    id uuid, kind text, name text, position int, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint, _etag text);
COMMENT ON TYPE @extschema@.purpose IS
'A purpose as the API answers it; kind: visit, gate_pass, student, staff or vehicle.';

-- Visitor categories -----------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.visitor_category_rows(ids uuid[],
    total bigint DEFAULT NULL) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.id, c.name::text, c.asks_mobile, c.position, c.is_default, c.is_active, c.created_at, c.updated_at,
           ARRAY[c.position::text, c.name::text, c.id::text], total,
               md5(c.id::text || extract(epoch FROM c.updated_at)::text)
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.visitor_categories c ON c.tenant_id = @extschema@.current_tenant() AND c.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.visitor_category_rows(uuid[], bigint) IS
'Rows of these categories in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.visitor_category_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_visitor_category(id uuid) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.visitor_category_rows(ARRAY[get_visitor_category.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_visitor_category(uuid) IS
'One category of visitors. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_visitor_category(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitor-categories/{id}', 'get_visitor_category', 'vocabularies.read', 'object', 200,
    'Visitor category', true, 'read');

CREATE FUNCTION @extschema@.list_visitor_categories(is_active boolean DEFAULT true, page_limit int DEFAULT 21,
    page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT c.id, c.position, c.name::text AS name FROM @extschema@.visitor_categories c
         WHERE c.tenant_id = @extschema@.current_tenant()
             AND (list_visitor_categories.is_active IS NULL OR c.is_active = list_visitor_categories.is_active)
           AND (after IS NULL OR (c.position, c.name::text, c.id) > (after[1]::int, after[2], after[3]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.position, m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.visitor_category_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_visitor_categories(boolean, int, int, text[], boolean) IS
'Categories of visitors in their order; is_active null shows deleted ones too. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_visitor_categories(boolean, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitor-categories', 'list_visitor_categories', 'vocabularies.read', 'list', 200,
    'Visitor categories', true, 'read');

CREATE FUNCTION @extschema@.create_visitor_category(name @extschema@.label_input, asks_mobile boolean DEFAULT true,
    "position" int DEFAULT NULL,
    is_default boolean DEFAULT false) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_visitor_category.name := @extschema@.normalize_label(create_visitor_category.name);
    IF create_visitor_category.is_default THEN
        UPDATE @extschema@.visitor_categories c SET is_default = false
            WHERE c.tenant_id = @extschema@.current_tenant() AND c.is_default;
    END IF;
    INSERT INTO @extschema@.visitor_categories (name, asks_mobile, position, is_default)
    VALUES (create_visitor_category.name, coalesce(create_visitor_category.asks_mobile, true),
            coalesce(create_visitor_category.position,
                (SELECT coalesce(max(c.position), 0) + 1 FROM @extschema@.visitor_categories c
                WHERE c.tenant_id = @extschema@.current_tenant())),
            coalesce(create_visitor_category.is_default, false))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor_category(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another category has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_visitor_category(@extschema@.label_input, boolean, int, boolean) IS
'Adds a category of visitors, at the end unless a position is given; a new default takes the place of the old one. '
'Errors: RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_visitor_category(@extschema@.label_input, boolean, int, boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/visitor-categories', 'create_visitor_category', 'vocabularies.write', 'object', 201,
    '/api/visitor-categories/{id}',
        'Visitor category created', false, 'write');

CREATE FUNCTION @extschema@.update_visitor_category(id uuid, name @extschema@.label_input DEFAULT NULL,
    asks_mobile boolean DEFAULT NULL,
    "position" int DEFAULT NULL, is_default boolean DEFAULT NULL, is_active boolean DEFAULT NULL, given text[] DEFAULT NULL)
RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    update_visitor_category.name := @extschema@.normalize_label(update_visitor_category.name);
    IF update_visitor_category.is_default THEN
        UPDATE @extschema@.visitor_categories c SET is_default = false
            WHERE c.tenant_id = @extschema@.current_tenant() AND c.is_default
            AND c.id <> update_visitor_category.id;
    END IF;
    UPDATE @extschema@.visitor_categories c SET
        name = CASE WHEN 'name' = ANY (given) THEN update_visitor_category.name
            ELSE coalesce(update_visitor_category.name, c.name) END,
        asks_mobile = CASE WHEN 'asks_mobile' = ANY (given) THEN update_visitor_category.asks_mobile
                           ELSE coalesce(update_visitor_category.asks_mobile, c.asks_mobile) END,
        position = CASE WHEN 'position' = ANY (given) THEN update_visitor_category.position
            ELSE coalesce(update_visitor_category.position, c.position) END,
        is_default = CASE WHEN 'is_default' = ANY (given) THEN update_visitor_category.is_default
                          ELSE coalesce(update_visitor_category.is_default, c.is_default) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_visitor_category.is_active
                         ELSE coalesce(update_visitor_category.is_active, c.is_active) END
     WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = update_visitor_category.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor_category(update_visitor_category.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another category has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_visitor_category(uuid, @extschema@.label_input, boolean, int, boolean,
    boolean, text[]) IS
'Changes a category of visitors. Errors: RG404, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_visitor_category(uuid, @extschema@.label_input, boolean, int, boolean, boolean,
    text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/visitor-categories/{id}', 'update_visitor_category', 'vocabularies.write', 'object', 200,
    'Visitor category changed', false, 'write');

CREATE FUNCTION @extschema@.delete_visitor_category(id uuid) RETURNS SETOF @extschema@.visitor_category
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- Without a default a walk-in would belong to no category, and nothing would say whether it needs a mobile.
    IF EXISTS (SELECT FROM @extschema@.visitor_categories c
                WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = delete_visitor_category.id AND c.is_default) THEN
        PERFORM @extschema@.refuse(409, 'default_category', 'the default category cannot be deleted',
            hint => 'Make another category the default first.');
    END IF;
    UPDATE @extschema@.visitor_categories c SET is_active = false
        WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = delete_visitor_category.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor_category(delete_visitor_category.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_visitor_category(uuid) IS
'Takes a category out of use; visitors who have it keep it. Errors: RG404, RG409 the default one. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_visitor_category(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/visitor-categories/{id}', 'delete_visitor_category', 'vocabularies.write', 'object', 200,
    'Visitor category deleted', false, 'write');

-- Purposes ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.purpose_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.id, p.kind::text, p.name::text, p.position, p.is_active, p.created_at, p.updated_at,
           ARRAY[p.kind::text, p.position::text, p.name::text, p.id::text], total,
               md5(p.id::text || extract(epoch FROM p.updated_at)::text)
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.purposes p ON p.tenant_id = @extschema@.current_tenant() AND p.id = wanted.id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.purpose_rows(uuid[], bigint) IS
'Rows of these purposes in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.purpose_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_purpose(id uuid) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.purpose_rows(ARRAY[get_purpose.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_purpose(uuid) IS 'One purpose. Errors: RG404. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.get_purpose(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/purposes/{id}', 'get_purpose', 'vocabularies.read', 'object', 200, 'Purpose', true, 'read');

CREATE FUNCTION @extschema@.list_purposes(kind @extschema@.purpose_kind_input DEFAULT NULL, is_active boolean DEFAULT true,
    page_limit int DEFAULT 21, page_offset int DEFAULT 0, after text[] DEFAULT NULL, counting boolean DEFAULT false)
RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (
        SELECT p.id, p.kind::text AS kind, p.position, p.name::text AS name FROM @extschema@.purposes p
         WHERE p.tenant_id = @extschema@.current_tenant() AND (list_purposes.kind IS NULL OR p.kind = list_purposes.kind)
           AND (list_purposes.is_active IS NULL OR p.is_active = list_purposes.is_active)
           AND (after IS NULL OR (p.kind::text, p.position, p.name::text, p.id) > (after[1], after[2]::int,
               after[3], after[4]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.kind, m.position, m.name, m.id LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.purpose_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_purposes(@extschema@.purpose_kind_input, boolean, int, int, text[], boolean) IS
'Purposes in their order, of a kind; is_active null shows deleted ones too. Callers: all roles.';
REVOKE ALL ON FUNCTION @extschema@.list_purposes(@extschema@.purpose_kind_input, boolean, int, int, text[], boolean)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/purposes', 'list_purposes', 'vocabularies.read', 'list', 200, 'Purposes', true, 'read');

CREATE FUNCTION @extschema@.create_purpose(name @extschema@.label_input,
    kind @extschema@.purpose_kind_input DEFAULT 'visit', "position" int DEFAULT NULL)
RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    create_purpose.name := @extschema@.normalize_label(create_purpose.name);
    INSERT INTO @extschema@.purposes (kind, name, position)
    VALUES (coalesce(create_purpose.kind, 'visit'), create_purpose.name,
            coalesce(create_purpose.position,
                (SELECT coalesce(max(p.position), 0) + 1 FROM @extschema@.purposes p
                WHERE p.tenant_id = @extschema@.current_tenant() AND p.kind = coalesce(create_purpose.kind, 'visit'))))
    RETURNING id INTO made;
    RETURN QUERY SELECT * FROM @extschema@.get_purpose(made);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another purpose of this kind has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.create_purpose(@extschema@.label_input, @extschema@.purpose_kind_input, int) IS
'Adds a purpose of a kind (visit unless said), at the end unless a position is given. Errors: RG409 name taken. Callers: '
'tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.create_purpose(@extschema@.label_input, @extschema@.purpose_kind_input, int) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/purposes', 'create_purpose', 'vocabularies.write', 'object', 201, '/api/purposes/{id}',
    'Purpose created', false, 'write');

CREATE FUNCTION @extschema@.update_purpose(id uuid, name @extschema@.label_input DEFAULT NULL, "position" int DEFAULT NULL,
    is_active boolean DEFAULT NULL,
    given text[] DEFAULT NULL) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    update_purpose.name := @extschema@.normalize_label(update_purpose.name);
    UPDATE @extschema@.purposes p SET
        name = CASE WHEN 'name' = ANY (given) THEN update_purpose.name ELSE coalesce(update_purpose.name, p.name) END,
        position = CASE WHEN 'position' = ANY (given) THEN update_purpose.position
            ELSE coalesce(update_purpose.position, p.position) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_purpose.is_active
            ELSE coalesce(update_purpose.is_active, p.is_active) END
     WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = update_purpose.id;
    RETURN QUERY SELECT * FROM @extschema@.get_purpose(update_purpose.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse(409, 'duplicate', 'another purpose of this kind has this name', NULL, NULL, 'name');
END $$;
COMMENT ON FUNCTION @extschema@.update_purpose(uuid, @extschema@.label_input, int, boolean, text[]) IS
'Changes a purpose; its kind stays. Errors: RG404, RG409 name taken. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.update_purpose(uuid, @extschema@.label_input, int, boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/purposes/{id}', 'update_purpose', 'vocabularies.write', 'object', 200,
    'Purpose changed', false, 'write');

CREATE FUNCTION @extschema@.delete_purpose(id uuid) RETURNS SETOF @extschema@.purpose
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE @extschema@.purposes p SET is_active = false WHERE p.tenant_id = @extschema@.current_tenant()
        AND p.id = delete_purpose.id;
    RETURN QUERY SELECT * FROM @extschema@.get_purpose(delete_purpose.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_purpose(uuid) IS
'Takes a purpose out of use; visits that have it keep it. Errors: RG404. Callers: tenant admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_purpose(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/purposes/{id}', 'delete_purpose', 'vocabularies.write', 'object', 200,
    'Purpose deleted', false, 'write');
-- What several functions ask of a visitor: category, mobile, unit, document, codes. An identity document is kept as a masked
-- number and a keyed hash; the number itself is never stored, answered or put into an error.

CREATE FUNCTION @extschema@.tenant_country() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT t.country::text FROM @extschema@.tenants t WHERE t.id = @extschema@.current_tenant());
END $$;
COMMENT ON FUNCTION @extschema@.tenant_country() IS
'The current tenant''s country, which decides the rules for phones and vehicles.';
REVOKE ALL ON FUNCTION @extschema@.tenant_country() FROM PUBLIC;

CREATE FUNCTION @extschema@.category_or_default(category_id uuid, field text DEFAULT 'category_id') RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF category_or_default.category_id IS NULL THEN
        RETURN (SELECT c.id FROM @extschema@.visitor_categories c WHERE c.tenant_id = @extschema@.current_tenant()
            AND c.is_default AND c.is_active LIMIT 1);
    END IF;
    PERFORM FROM @extschema@.visitor_categories c WHERE c.tenant_id = @extschema@.current_tenant()
        AND c.id = category_or_default.category_id AND c.is_active;
    IF NOT FOUND THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor category', NULL, NULL, category_or_default.field);
    END IF;
    RETURN category_or_default.category_id;
END $$;
COMMENT ON FUNCTION @extschema@.category_or_default(uuid, text) IS
'The category that was named, or the tenant''s default (may be null). Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.category_or_default(uuid, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_mobile_given(category_id uuid, mobile text, field text DEFAULT 'mobile') RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_mobile_given.mobile IS NULL
       AND coalesce((SELECT c.asks_mobile FROM @extschema@.visitor_categories c
           WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = check_mobile_given.category_id), true) THEN
        PERFORM @extschema@.refuse(400, 'required', 'a mobile is needed', 'Visitors of this category must give one.', NULL,
            check_mobile_given.field);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_mobile_given(uuid, text, text) IS
'Refuses a visitor without mobile unless the category waives it. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.check_mobile_given(uuid, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_unit(unit_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_unit.unit_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM @extschema@.locations l WHERE l.tenant_id = @extschema@.current_tenant()
            AND l.id = check_unit.unit_id AND l.is_active) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such unit', NULL, NULL, 'unit_id');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_unit(uuid) IS 'Refuses a unit that is not there. Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.check_unit(uuid) FROM PUBLIC;

-- Everything that is kept of an identity document. `level` is '' or 'visitor__': where the members stand in the request.
CREATE FUNCTION @extschema@.document_traits(document_type text, document_no text, level text DEFAULT '',
    OUT masked text, OUT hash bytea)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number text;
    message text;
    detail text;
    hint text;
    code text;
BEGIN
    IF document_no IS NULL AND document_type IS NULL THEN
        RETURN;
    ELSIF document_type IS NULL THEN
        PERFORM @extschema@.refuse(400, 'required', 'the type of the document is needed', NULL, NULL, level
            || 'document_type');
    ELSIF document_no IS NULL THEN
        PERFORM @extschema@.refuse(400, 'required', 'the number of the document is needed', NULL, NULL,
            level || 'document_no');
    END IF;
    BEGIN
        number := @extschema@.normalize_document_number(document_type, document_no);
    EXCEPTION WHEN SQLSTATE 'RG400' THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
            code = CONSTRAINT_NAME;
        PERFORM @extschema@.refuse(400, code, message, nullif(detail, ''), nullif(hint, ''), level || 'document_no');
    END;
    masked := @extschema@.mask_document_number(document_type, number);
    hash := @extschema@.keyed_hash('document_hash', document_type || ':' || number);
END $$;
COMMENT ON FUNCTION @extschema@.document_traits(text, text, text) IS
'The masked form and the keyed hash of a document''s number; equal numbers in any spelling give one hash. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.document_traits(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.new_security_code() RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    code text;
BEGIN
    FOR attempt IN 1..50 LOOP
        code := @extschema@.random_digits(6);
        IF NOT EXISTS (SELECT FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
            AND v.security_code = code AND v.is_active) THEN
            RETURN code;
        END IF;
    END LOOP;
    PERFORM @extschema@.refuse(503, 'busy', 'could not find a free security code');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION @extschema@.new_security_code() IS 'Six random digits that no other active visitor of the tenant has.';
REVOKE ALL ON FUNCTION @extschema@.new_security_code() FROM PUBLIC;

CREATE FUNCTION @extschema@.refuse_taken_mobile(mobile text, visitor_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    holder jsonb;
BEGIN
    SELECT jsonb_build_object('id', v.id, 'firstName', v.first_name, 'lastName', v.last_name, 'visitorType', v.visitor_type,
                              'registrationNo', v.registration_no) INTO holder
      FROM @extschema@.visitors v
     WHERE v.tenant_id = @extschema@.current_tenant()
         AND v.mobile = @extschema@.normalize_mobile(refuse_taken_mobile.mobile, @extschema@.tenant_country())
         AND v.is_active
       AND v.id IS DISTINCT FROM refuse_taken_mobile.visitor_id
     ORDER BY v.visitor_type = 'registered' DESC LIMIT 1;
    PERFORM @extschema@.refuse(409, 'duplicate', 'another visitor has this mobile',
        format('It belongs to %s.', concat_ws(' ', holder ->> 'firstName', holder ->> 'lastName')),
        'Use that visitor, or let this one in as an unregistered visitor.', 'mobile', holder);
END $$;
COMMENT ON FUNCTION @extschema@.refuse_taken_mobile(text, uuid) IS
'Says who has a mobile already, and how to go on. Errors: always RG409 with field mobile and that visitor as data.';
REVOKE ALL ON FUNCTION @extschema@.refuse_taken_mobile(text, uuid) FROM PUBLIC;
-- Visitors: persons known to a tenant. Registered ones have a number, a code and their mobile to themselves (families
-- share phones, so only among active registered ones); unregistered ones come from the gate. Identity documents are kept as a
-- masked number and a keyed hash; the number itself is never stored, answered or put into an error.

CREATE TYPE @extschema@.visitor AS (
    id uuid, visitor_type text, first_name text, last_name text, mobile text, email text, category_id uuid,
    category_name text,
    document_type text, document_masked text, vehicle_no text, unit_id uuid, unit_name text, registration_no text,
    security_code text,
    valid_from date, valid_until date, is_inside boolean, is_active boolean, created_at timestamptz, updated_at timestamptz,
    _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.visitor IS
'A visitor as the API answers it; document_masked is all that is known of the number, security_code is null in lists.';

-- Reading ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.visitor_rows(ids uuid[], total bigint DEFAULT NULL,
    with_code boolean DEFAULT false) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.id, v.visitor_type::text, v.first_name::text, v.last_name::text, v.mobile::text, v.email::text,
        v.category_id, c.name::text,
           v.document_type::text, v.document_masked::text, v.vehicle_no::text, v.unit_id, u.name::text,
               v.registration_no::text,
           CASE WHEN with_code THEN v.security_code::text END, v.valid_from, v.valid_until,
           EXISTS (SELECT FROM @extschema@.visits i WHERE i.tenant_id = @extschema@.current_tenant() AND i.visitor_id = v.id
               AND i.state = 'checked_in'),
           v.is_active, v.created_at, v.updated_at, ARRAY[v.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.visitors v ON v.tenant_id = @extschema@.current_tenant() AND v.id = wanted.id
      LEFT JOIN @extschema@.visitor_categories c ON c.tenant_id = v.tenant_id AND c.id = v.category_id
      LEFT JOIN @extschema@.locations u ON u.tenant_id = v.tenant_id AND u.id = v.unit_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.visitor_rows(uuid[], bigint, boolean) IS
'Rows of these visitors in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.visitor_rows(uuid[], bigint, boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_visitor(id uuid) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.visitor_rows(ARRAY[get_visitor.id], NULL, true);
END $$;
COMMENT ON FUNCTION @extschema@.get_visitor(uuid) IS
'One visitor, deleted ones too (is_active false). Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visitor(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}', 'get_visitor', 'visitors.read', 'object', 200, 'Visitor', true, 'read');

CREATE FUNCTION @extschema@.list_visitors(search @extschema@.search_input DEFAULT NULL, category uuid DEFAULT NULL,
    type @extschema@.visitor_type_input DEFAULT NULL, mobile @extschema@.mobile_input DEFAULT NULL,
    vehicle @extschema@.vehicle_number_input DEFAULT NULL,
    inside boolean DEFAULT NULL, is_active boolean DEFAULT true, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL, counting boolean DEFAULT false) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    needle text := @extschema@.fold_search(list_visitors.search);
    its_mobile text := @extschema@.normalize_mobile(list_visitors.mobile, @extschema@.tenant_country());
    its_vehicle text := @extschema@.normalize_vehicle_number(list_visitors.vehicle, @extschema@.tenant_country());
    page uuid[];
    total bigint;
BEGIN
    -- Ids grow with time (UUIDv7): the newest first is the primary key read backwards.
    WITH matching AS NOT MATERIALIZED (
        SELECT v.id FROM @extschema@.visitors v
         WHERE v.tenant_id = @extschema@.current_tenant()
             AND (needle IS NULL OR @extschema@.contains(v.search_name, needle))
           AND (list_visitors.category IS NULL OR v.category_id = list_visitors.category)
           AND (list_visitors.type IS NULL OR v.visitor_type = list_visitors.type)
           AND (its_mobile IS NULL OR v.mobile = its_mobile)
           AND (its_vehicle IS NULL OR v.vehicle_no = its_vehicle)
           AND (list_visitors.inside IS NULL OR list_visitors.inside
                = EXISTS (SELECT FROM @extschema@.visits i WHERE i.tenant_id = @extschema@.current_tenant()
                    AND i.visitor_id = v.id AND i.state = 'checked_in'))
           AND (list_visitors.is_active IS NULL OR v.is_active = list_visitors.is_active)
           AND (after IS NULL OR v.id < after[1]::uuid))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.id DESC LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.visitor_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_visitors(@extschema@.search_input, uuid, @extschema@.visitor_type_input,
    @extschema@.mobile_input,
    @extschema@.vehicle_number_input, boolean, boolean, int, int, text[], boolean) IS
'Visitors, the newest first. search looks into the whole name without regard to case; mobile and '
'vehicle in any spelling; inside: with an open visit that is checked in. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.list_visitors(@extschema@.search_input, uuid, @extschema@.visitor_type_input,
    @extschema@.mobile_input,
    @extschema@.vehicle_number_input, boolean, boolean, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors', 'list_visitors', 'visitors.read', 'list', 200, 'Visitors', true, 'read');

-- Writing ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.create_visitor(first_name @extschema@.person_name_input,
    last_name @extschema@.person_name_input DEFAULT NULL,
    mobile @extschema@.mobile_input DEFAULT NULL, email @extschema@.email_input DEFAULT NULL, category_id uuid DEFAULT NULL,
    visitor_type @extschema@.visitor_type_input DEFAULT 'registered',
    document_type @extschema@.document_type_input DEFAULT NULL,
    document_no @extschema@.document_number_input DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    unit_id uuid DEFAULT NULL,
    valid_from date DEFAULT NULL, valid_until date DEFAULT NULL) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    category uuid := @extschema@.category_or_default(create_visitor.category_id);
    document record;
    registers boolean := coalesce(create_visitor.visitor_type, 'registered') = 'registered';
    made uuid;
BEGIN
    create_visitor.first_name := @extschema@.normalize_person_name(create_visitor.first_name);
    create_visitor.last_name := @extschema@.normalize_person_name(create_visitor.last_name);
    create_visitor.mobile := @extschema@.normalize_mobile(create_visitor.mobile, @extschema@.tenant_country());
    create_visitor.email := @extschema@.normalize_email(create_visitor.email);
    create_visitor.vehicle_no := @extschema@.normalize_vehicle_number(create_visitor.vehicle_no,
        @extschema@.tenant_country());
    PERFORM @extschema@.check_mobile_given(category, create_visitor.mobile);
    PERFORM @extschema@.check_unit(create_visitor.unit_id);
    SELECT * INTO document FROM @extschema@.document_traits(create_visitor.document_type, create_visitor.document_no);
    -- Two desks may register one mobile at once: the unique index decides, the next statement reads who has it.
    INSERT INTO @extschema@.visitors (visitor_type, first_name, last_name, mobile, email, category_id, document_type,
        document_masked, document_hash,
                                      vehicle_no, unit_id, registration_no, security_code, valid_from, valid_until)
    VALUES (coalesce(create_visitor.visitor_type, 'registered'), create_visitor.first_name, create_visitor.last_name,
        create_visitor.mobile,
            create_visitor.email, category, create_visitor.document_type, document.masked, document.hash,
                create_visitor.vehicle_no,
            create_visitor.unit_id, CASE WHEN registers THEN 'V-' || @extschema@.random_code(8) END,
            CASE WHEN registers THEN @extschema@.new_security_code() END, create_visitor.valid_from,
                create_visitor.valid_until)
    ON CONFLICT DO NOTHING RETURNING id INTO made;
    IF made IS NULL THEN
        PERFORM @extschema@.refuse_taken_mobile(create_visitor.mobile);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_visitor(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.visitor_type_input, @extschema@.document_type_input,
    @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date) IS
'Registers a person (or notes an unregistered one). Errors: RG400, RG404 category or unit, RG409 mobile taken, with its '
'holder. Callers: receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.create_visitor(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.visitor_type_input, @extschema@.document_type_input,
    @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location,
    message, read_only, lane)
VALUES ('POST', '/api/visitors', 'create_visitor', 'visitors.write', 'object', 201, '/api/visitors/{id}',
    'Visitor created', false, 'write');

CREATE FUNCTION @extschema@.refuse_open_visit(visitor_id uuid) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    open_visit jsonb;
BEGIN
    -- A check-in holds the visitor's row (FOR KEY SHARE) from before it looks at is_active: after this lock either its visit is
    -- seen below, or it will see the visitor as deleted.
    PERFORM FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
        AND v.id = refuse_open_visit.visitor_id FOR UPDATE;
    open_visit := @extschema@.open_visit_of(refuse_open_visit.visitor_id);
    IF open_visit IS NOT NULL THEN
        PERFORM @extschema@.refuse(409, 'open_visit', 'visitor has an open visit', NULL,
            'Check the visitor out, or cancel the visit, first.', NULL, open_visit);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.refuse_open_visit(uuid) IS
'Refuses when the visitor has an open visit: nobody inside may vanish from the roll call. Errors: RG409 with that visit '
'as data.';
REVOKE ALL ON FUNCTION @extschema@.refuse_open_visit(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.update_visitor(id uuid, first_name @extschema@.person_name_input DEFAULT NULL,
    last_name @extschema@.person_name_input DEFAULT NULL, mobile @extschema@.mobile_input DEFAULT NULL,
    email @extschema@.email_input DEFAULT NULL,
    category_id uuid DEFAULT NULL, document_type @extschema@.document_type_input DEFAULT NULL,
    document_no @extschema@.document_number_input DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    unit_id uuid DEFAULT NULL,
    valid_from date DEFAULT NULL, valid_until date DEFAULT NULL, is_active boolean DEFAULT NULL, given text[] DEFAULT NULL)
RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
    new record;
    document record;
    changes_document boolean := update_visitor.document_type IS NOT NULL OR update_visitor.document_no IS NOT NULL
                                OR coalesce(given && '{document_type,document_no}', false);
BEGIN
    update_visitor.first_name := @extschema@.normalize_person_name(update_visitor.first_name);
    update_visitor.last_name := @extschema@.normalize_person_name(update_visitor.last_name);
    update_visitor.mobile := @extschema@.normalize_mobile(update_visitor.mobile, @extschema@.tenant_country());
    update_visitor.email := @extschema@.normalize_email(update_visitor.email);
    update_visitor.vehicle_no := @extschema@.normalize_vehicle_number(update_visitor.vehicle_no,
        @extschema@.tenant_country());
    SELECT v.mobile::text AS mobile, v.category_id, v.document_type::text AS document_type, v.is_active INTO old
      FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
          AND v.id = update_visitor.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM @extschema@.category_or_default(update_visitor.category_id);
    PERFORM @extschema@.check_unit(update_visitor.unit_id);
    IF update_visitor.is_active = false AND old.is_active THEN
        PERFORM @extschema@.refuse_open_visit(update_visitor.id);
    END IF;
    SELECT * INTO document FROM @extschema@.document_traits(
        CASE WHEN update_visitor.document_no IS NULL THEN update_visitor.document_type
            ELSE coalesce(update_visitor.document_type, old.document_type) END,
        update_visitor.document_no);
    UPDATE @extschema@.visitors v SET
        first_name = CASE WHEN 'first_name' = ANY (given) THEN update_visitor.first_name
            ELSE coalesce(update_visitor.first_name, v.first_name) END,
        last_name = CASE WHEN 'last_name' = ANY (given) THEN update_visitor.last_name
            ELSE coalesce(update_visitor.last_name, v.last_name) END,
        mobile = CASE WHEN 'mobile' = ANY (given) THEN update_visitor.mobile
            ELSE coalesce(update_visitor.mobile, v.mobile) END,
        email = CASE WHEN 'email' = ANY (given) THEN update_visitor.email ELSE coalesce(update_visitor.email, v.email) END,
        category_id = CASE WHEN 'category_id' = ANY (given) THEN update_visitor.category_id
            ELSE coalesce(update_visitor.category_id, v.category_id) END,
        document_type = CASE WHEN NOT changes_document THEN v.document_type
                             WHEN update_visitor.document_no IS NOT NULL
                                 THEN coalesce(update_visitor.document_type, v.document_type) END,
        document_masked = CASE WHEN changes_document THEN document.masked ELSE v.document_masked END,
        document_hash = CASE WHEN changes_document THEN document.hash ELSE v.document_hash END,
        vehicle_no = CASE WHEN 'vehicle_no' = ANY (given) THEN update_visitor.vehicle_no
            ELSE coalesce(update_visitor.vehicle_no, v.vehicle_no) END,
        unit_id = CASE WHEN 'unit_id' = ANY (given) THEN update_visitor.unit_id
            ELSE coalesce(update_visitor.unit_id, v.unit_id) END,
        valid_from = CASE WHEN 'valid_from' = ANY (given) THEN update_visitor.valid_from
            ELSE coalesce(update_visitor.valid_from, v.valid_from) END,
        valid_until = CASE WHEN 'valid_until' = ANY (given) THEN update_visitor.valid_until
            ELSE coalesce(update_visitor.valid_until, v.valid_until) END,
        is_active = CASE WHEN 'is_active' = ANY (given) THEN update_visitor.is_active
            ELSE coalesce(update_visitor.is_active, v.is_active) END
     WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = update_visitor.id
    RETURNING v.mobile::text AS mobile, v.category_id AS category_id INTO new;
    IF (new.mobile, new.category_id) IS DISTINCT FROM (old.mobile, old.category_id) THEN
        PERFORM @extschema@.check_mobile_given(new.category_id, new.mobile);
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(update_visitor.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse_taken_mobile(coalesce(update_visitor.mobile, old.mobile), update_visitor.id);
END $$;
COMMENT ON FUNCTION @extschema@.update_visitor(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.document_type_input, @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date,
    boolean, text[]) IS
'Changes a visitor; is_active true brings a deleted one back if the mobile is still free. Errors: RG400, RG404, RG409 '
'mobile taken or an open visit when deactivating. Callers: receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.update_visitor(uuid, @extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input,
    @extschema@.email_input, uuid, @extschema@.document_type_input, @extschema@.document_number_input,
    @extschema@.vehicle_number_input, uuid, date, date,
    boolean, text[]) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('PATCH', '/api/visitors/{id}', 'update_visitor', 'visitors.write', 'object', 200,
    'Visitor changed', false, 'write');

CREATE FUNCTION @extschema@.delete_visitor(id uuid) RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM @extschema@.refuse_open_visit(delete_visitor.id);
    UPDATE @extschema@.visitors v SET is_active = false WHERE v.tenant_id = @extschema@.current_tenant()
        AND v.id = delete_visitor.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(delete_visitor.id);
END $$;
COMMENT ON FUNCTION @extschema@.delete_visitor(uuid) IS
'Takes a visitor out of use and frees the mobile; the history stays. Errors: RG404, RG409 open visit. Callers: '
'receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.delete_visitor(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('DELETE', '/api/visitors/{id}', 'delete_visitor', 'visitors.write', 'object', 200,
    'Visitor deleted', false, 'write');

CREATE FUNCTION @extschema@.register_visitor(id uuid, mobile @extschema@.mobile_input DEFAULT NULL,
    email @extschema@.email_input DEFAULT NULL,
    category_id uuid DEFAULT NULL, document_type @extschema@.document_type_input DEFAULT NULL,
    document_no @extschema@.document_number_input DEFAULT NULL,
    vehicle_no @extschema@.vehicle_number_input DEFAULT NULL, unit_id uuid DEFAULT NULL, valid_from date DEFAULT NULL,
    valid_until date DEFAULT NULL)
RETURNS SETOF @extschema@.visitor
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    old record;
BEGIN
    SELECT v.visitor_type::text AS visitor_type, v.is_active, v.mobile::text AS mobile INTO old
      FROM @extschema@.visitors v WHERE v.tenant_id = @extschema@.current_tenant()
          AND v.id = register_visitor.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF old.visitor_type = 'registered' OR NOT old.is_active THEN
        PERFORM @extschema@.refuse(409, 'visitor_type', CASE WHEN old.is_active THEN 'visitor is registered already'
            ELSE 'visitor is deleted' END, NULL, NULL, NULL,
            jsonb_build_object('id', register_visitor.id, 'visitorType', old.visitor_type, 'isActive', old.is_active));
    END IF;
    PERFORM @extschema@.update_visitor(register_visitor.id, mobile => register_visitor.mobile,
        email => register_visitor.email,
        category_id => register_visitor.category_id, document_type => register_visitor.document_type,
            document_no => register_visitor.document_no,
        vehicle_no => register_visitor.vehicle_no, unit_id => register_visitor.unit_id,
            valid_from => register_visitor.valid_from,
        valid_until => register_visitor.valid_until);
    UPDATE @extschema@.visitors v SET visitor_type = 'registered', registration_no = 'V-' || @extschema@.random_code(8),
                                      security_code = @extschema@.new_security_code()
                                          WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = register_visitor.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visitor(register_visitor.id);
EXCEPTION WHEN unique_violation THEN
    PERFORM @extschema@.refuse_taken_mobile(coalesce(register_visitor.mobile, old.mobile), register_visitor.id);
END $$;
COMMENT ON FUNCTION @extschema@.register_visitor(uuid, @extschema@.mobile_input, @extschema@.email_input, uuid,
    @extschema@.document_type_input,
    @extschema@.document_number_input, @extschema@.vehicle_number_input, uuid, date, date) IS
'Makes an unregistered visitor a registered one, with number, code and whatever else is known now; the visits stay. '
'Errors: RG400, RG404, RG409 mobile taken or registered already. Callers: receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.register_visitor(uuid, @extschema@.mobile_input, @extschema@.email_input, uuid,
    @extschema@.document_type_input,
    @extschema@.document_number_input, @extschema@.vehicle_number_input, uuid, date, date) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visitors/{id}/register', 'register_visitor', 'visitors.write', 'object', 200,
    'Visitor registered', false, 'write');
-- Who may come in. Every reason why somebody may not stands in checkin_refusals, which check-in, dry run and status share.

CREATE TYPE @extschema@.checkin_refusal AS (status int, code text, message text, detail text, hint text, data jsonb);
COMMENT ON TYPE @extschema@.checkin_refusal IS
'One reason why somebody may not come in, with the HTTP status it refuses with.';

CREATE FUNCTION @extschema@.checkin_refusals(visitor_id uuid, site_id uuid, group_size int DEFAULT 1,
    visit_id uuid DEFAULT NULL)
RETURNS SETOF @extschema@.checkin_refusal
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visitor record;
    site record;
    open_visit jsonb;
    today date := @extschema@.today_at(checkin_refusals.site_id);
    inside bigint;
BEGIN
    open_visit := @extschema@.open_visit_of(checkin_refusals.visitor_id);
    IF open_visit ->> 'id' IS DISTINCT FROM checkin_refusals.visit_id::text AND open_visit IS NOT NULL THEN
        RETURN NEXT (409, 'open_visit', CASE open_visit ->> 'state' WHEN 'pending' THEN 'visitor is expected already'
            ELSE 'visitor is inside already' END,
                     NULL, 'Check the visitor out, or cancel the visit, first.', open_visit)::@extschema@.checkin_refusal;
    END IF;
    IF EXISTS (SELECT FROM @extschema@.tenants t WHERE t.id = @extschema@.current_tenant() AND t.state <> 'active') THEN
        RETURN NEXT (423, 'tenant_suspended', 'tenant is suspended', NULL, NULL, NULL)::@extschema@.checkin_refusal;
    END IF;
    SELECT p.is_active, p.valid_from, p.valid_until INTO visitor FROM @extschema@.visitors p
        WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = checkin_refusals.visitor_id;
    IF FOUND THEN
        IF NOT visitor.is_active THEN
            RETURN NEXT (422, 'visitor_inactive', 'visitor is deleted', NULL, 'Make the visitor active again first.',
                NULL)::@extschema@.checkin_refusal;
        END IF;
        IF visitor.valid_from > today THEN
            RETURN NEXT (422, 'visitor_not_valid_yet', 'visitor may not come in yet',
                format('From %s on.', visitor.valid_from), NULL, NULL)::@extschema@.checkin_refusal;
        END IF;
        IF visitor.valid_until < today THEN
            RETURN NEXT (422, 'visitor_expired', 'visitor may not come in any more',
                format('%s was the last day.', visitor.valid_until), NULL, NULL)::@extschema@.checkin_refusal;
        END IF;
    END IF;
    SELECT s.is_active, s.capacity INTO site FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant()
        AND s.id = checkin_refusals.site_id;
    IF FOUND AND NOT site.is_active THEN
        RETURN NEXT (422, 'site_inactive', 'site is closed', NULL, NULL, NULL)::@extschema@.checkin_refusal;
    END IF;
    IF site.capacity IS NOT NULL THEN
        SELECT coalesce(sum(v.group_size), 0) INTO inside FROM @extschema@.visits v
         WHERE v.tenant_id = @extschema@.current_tenant() AND v.site_id = checkin_refusals.site_id
             AND v.state = 'checked_in'
             AND v.id IS DISTINCT FROM checkin_refusals.visit_id;
        IF inside + coalesce(checkin_refusals.group_size, 1) > site.capacity THEN
            RETURN NEXT (422, 'capacity_reached', 'site is full',
                format('%s of %s places are taken.', inside, site.capacity), NULL,
                         jsonb_build_object('capacity', site.capacity, 'inside', inside))::@extschema@.checkin_refusal;
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.checkin_refusals(uuid, uuid, int, uuid) IS
'All reasons why this visitor (null: a new one) may not come in at this site now with such a group; none: may. visit_id '
'names the visit that is being checked in, which does not count against itself. Check-in, dry run and status share it.';
REVOKE ALL ON FUNCTION @extschema@.checkin_refusals(uuid, uuid, int, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.refusal_list(visitor_id uuid, site_id uuid, group_size int DEFAULT 1,
    visit_id uuid DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('code', r.code, 'message', r.message, 'detail', r.detail,
        'hint', r.hint)), '[]')
              FROM @extschema@.checkin_refusals(refusal_list.visitor_id, refusal_list.site_id, refusal_list.group_size,
                  refusal_list.visit_id) r);
END $$;
COMMENT ON FUNCTION @extschema@.refusal_list(uuid, uuid, int, uuid) IS
'The refusals of a check-in as the API answers them.';
REVOKE ALL ON FUNCTION @extschema@.refusal_list(uuid, uuid, int, uuid) FROM PUBLIC;

-- Under read committed a count sees only what was committed when its own statement began: the lock comes first, in a
-- statement of its own, and the count of checkin_refusals later. Without capacity nobody waits for anybody.
CREATE FUNCTION @extschema@.admit(visitor_id uuid, site_id uuid, group_size int, visit_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    refusal record;
BEGIN
    PERFORM FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = admit.site_id
        AND s.capacity IS NOT NULL FOR NO KEY UPDATE;
    SELECT * INTO refusal FROM @extschema@.checkin_refusals(admit.visitor_id, admit.site_id, admit.group_size,
        admit.visit_id) LIMIT 1;
    IF FOUND THEN
        PERFORM @extschema@.refuse(refusal.status, refusal.code, refusal.message, refusal.detail, refusal.hint,
            NULL, refusal.data);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.admit(uuid, uuid, int, uuid) IS
'Raises the first reason against a check-in; where the site has a capacity, check-ins there go one after the other. '
'Errors: RG409, RG422, RG423.';
REVOKE ALL ON FUNCTION @extschema@.admit(uuid, uuid, int, uuid) FROM PUBLIC;
-- Visits: one entry of one visitor at one site; how they are read, and how they end. How they begin: walk_ins.sql.

CREATE TYPE @extschema@.visit AS (
    id uuid, state text, site_id uuid, site_name text,
    visitor__id uuid, visitor__visitor_type text, visitor__first_name text, visitor__last_name text, visitor__mobile text,
    visitor__category_id uuid, visitor__registration_no text,
    purpose_id uuid, purpose text, host__id uuid, host__first_name text, host__last_name text,
    unit__id uuid, unit__name text,
    group_size int, vehicle_no text, badge_no text, requested_at timestamptz, checked_in_at timestamptz,
    checked_out_at timestamptz,
    checked_in_by uuid, checked_out_by uuid, gate_in_id uuid, gate_out_id uuid, remark text, is_forced boolean,
    is_automatic boolean,
    updated_at timestamptz, _cursor text[], _total bigint);
COMMENT ON TYPE @extschema@.visit IS
'A visit as the API answers it, with its visitor inside; purpose is the word of the vocabulary or the free text.';

-- Reading ----------------------------------------------------------------------------------------------------------

-- A generic plan: planned anew for each array, six joins cost ten times what they take to run.
CREATE FUNCTION @extschema@.visit_rows(ids uuid[], total bigint DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.id, v.state::text, v.site_id, s.name::text,
           p.id, p.visitor_type::text, p.first_name::text, p.last_name::text, p.mobile::text, p.category_id,
               p.registration_no::text,
           v.purpose_id, coalesce(v.purpose::text, w.name::text), h.id, h.first_name::text, h.last_name::text,
               u.id, u.name::text,
           v.group_size::int, v.vehicle_no::text, v.badge_no::text, v.requested_at, v.checked_in_at, v.checked_out_at,
           v.checked_in_by, v.checked_out_by, v.gate_in_id, v.gate_out_id, v.remark::text, v.is_forced, v.is_automatic,
           v.updated_at, ARRAY[v.requested_at::text, v.id::text], total
      FROM unnest(ids) WITH ORDINALITY AS wanted (id,
          place) JOIN @extschema@.visits v ON v.tenant_id = @extschema@.current_tenant() AND v.id = wanted.id
      JOIN @extschema@.visitors p ON p.tenant_id = v.tenant_id AND p.id = v.visitor_id
      JOIN @extschema@.sites s ON s.tenant_id = v.tenant_id AND s.id = v.site_id
      LEFT JOIN @extschema@.purposes w ON w.tenant_id = v.tenant_id AND w.id = v.purpose_id
      LEFT JOIN @extschema@.hosts h ON h.tenant_id = v.tenant_id AND h.id = v.host_id
      LEFT JOIN @extschema@.locations u ON u.tenant_id = v.tenant_id AND u.id = v.unit_id
     ORDER BY wanted.place;
END $$;
COMMENT ON FUNCTION @extschema@.visit_rows(uuid[], bigint) IS
'Rows of these visits in this order: the one place that makes them.';
REVOKE ALL ON FUNCTION @extschema@.visit_rows(uuid[], bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.get_visit(id uuid) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.visit_rows(ARRAY[get_visit.id]);
END $$;
COMMENT ON FUNCTION @extschema@.get_visit(uuid) IS 'One visit. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visit(uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits/{id}', 'get_visit', 'visits.read', 'object', 200, 'Visit', true, 'read');

CREATE FUNCTION @extschema@.list_visits(state @extschema@.visit_state_input DEFAULT NULL,
    "from" @extschema@.moment_input DEFAULT NULL,
    "to" @extschema@.moment_input DEFAULT NULL, site uuid DEFAULT NULL, gate uuid DEFAULT NULL, purpose uuid DEFAULT NULL,
    host uuid DEFAULT NULL,
    unit uuid DEFAULT NULL, visitor uuid DEFAULT NULL, vehicle @extschema@.vehicle_number_input DEFAULT NULL,
    search @extschema@.search_input DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    begins timestamptz := @extschema@.moment_start(list_visits."from", @extschema@.zone_of(list_visits.site), 'from');
    ends timestamptz := @extschema@.moment_end(list_visits."to", @extschema@.zone_of(list_visits.site), 'to');
    its_vehicle text := @extschema@.normalize_vehicle_number(list_visits.vehicle, @extschema@.tenant_country());
    needle text := @extschema@.fold_search(list_visits.search);
    page uuid[];
    total bigint;
BEGIN
    WITH matching AS NOT MATERIALIZED (   -- the filter stands once, for page and total
        SELECT v.id, v.requested_at FROM @extschema@.visits v
         WHERE v.tenant_id = @extschema@.current_tenant() AND (list_visits.state IS NULL OR v.state = list_visits.state)
           AND (begins IS NULL OR v.requested_at >= begins)
           AND (ends IS NULL OR v.requested_at < ends)
           AND (list_visits.site IS NULL OR v.site_id = list_visits.site)
           AND (list_visits.gate IS NULL OR v.gate_in_id = list_visits.gate OR v.gate_out_id = list_visits.gate)
           AND (list_visits.purpose IS NULL OR v.purpose_id = list_visits.purpose)
           AND (list_visits.host IS NULL OR v.host_id = list_visits.host)
           AND (list_visits.unit IS NULL OR v.unit_id = list_visits.unit)
           AND (list_visits.visitor IS NULL OR v.visitor_id = list_visits.visitor)
           AND (its_vehicle IS NULL OR v.vehicle_no = its_vehicle)
           AND (needle IS NULL OR v.visitor_id IN (SELECT p.id FROM @extschema@.visitors p
               WHERE p.tenant_id = @extschema@.current_tenant() AND @extschema@.contains(p.search_name, needle)))
           AND (after IS NULL OR (v.requested_at, v.id) < (after[1]::timestamptz, after[2]::uuid)))
    SELECT ARRAY(SELECT m.id FROM matching m ORDER BY m.requested_at DESC, m.id DESC LIMIT page_limit OFFSET page_offset),
           CASE WHEN counting THEN (SELECT count(*) FROM (SELECT FROM matching LIMIT 10001) c) END
      INTO page, total;
    RETURN QUERY SELECT * FROM @extschema@.visit_rows(page, total);
END $$;
COMMENT ON FUNCTION @extschema@.list_visits(@extschema@.visit_state_input, @extschema@.moment_input,
    @extschema@.moment_input, uuid, uuid, uuid, uuid, uuid,
    uuid, @extschema@.vehicle_number_input, @extschema@.search_input, int, int, text[], boolean) IS
'Visits, the latest asked for first. from and to bound requested_at: a date is a day of the site (else of the tenant), to '
'inclusive; an instant as to is exclusive. gate: in or out; search: in the visitor''s name. Errors: RG400. Callers: '
'guard, receptionist, admin, auditor.';
REVOKE ALL ON FUNCTION @extschema@.list_visits(@extschema@.visit_state_input, @extschema@.moment_input,
    @extschema@.moment_input, uuid, uuid, uuid, uuid, uuid,
    uuid, @extschema@.vehicle_number_input, @extschema@.search_input, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits', 'list_visits', 'visits.read', 'list', 200, 'Visits', true, 'read');

CREATE FUNCTION @extschema@.list_current_visits(site uuid DEFAULT NULL, gate uuid DEFAULT NULL, host uuid DEFAULT NULL,
    unit uuid DEFAULT NULL,
    search @extschema@.search_input DEFAULT NULL, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM @extschema@.list_visits(state => 'checked_in', site => list_current_visits.site,
        gate => list_current_visits.gate,
        host => list_current_visits.host, unit => list_current_visits.unit, search => list_current_visits.search,
        page_limit => list_current_visits.page_limit, page_offset => list_current_visits.page_offset,
            after => list_current_visits.after,
        counting => list_current_visits.counting);
END $$;
COMMENT ON FUNCTION @extschema@.list_current_visits(uuid, uuid, uuid, uuid, @extschema@.search_input, int, int,
    text[], boolean) IS
'Who is inside now, whatever day they came. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.list_current_visits(uuid, uuid, uuid, uuid, @extschema@.search_input, int, int, text[],
    boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visits/current', 'list_current_visits', 'visits.read', 'list', 200, 'Inside now', true, 'read');

CREATE FUNCTION @extschema@.visitor_visits(id uuid, page_limit int DEFAULT 21, page_offset int DEFAULT 0,
    after text[] DEFAULT NULL,
    counting boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM @extschema@.visitors p WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = visitor_visits.id;
    IF NOT FOUND THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.list_visits(visitor => visitor_visits.id,
        page_limit => visitor_visits.page_limit,
        page_offset => visitor_visits.page_offset, after => visitor_visits.after, counting => visitor_visits.counting);
END $$;
COMMENT ON FUNCTION @extschema@.visitor_visits(uuid, int, int, text[], boolean) IS
'The visits of one visitor, the latest first. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.visitor_visits(uuid, int, int, text[], boolean) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}/visits', 'visitor_visits', 'visits.read', 'list', 200,
    'Visits of the visitor', true, 'read');

CREATE FUNCTION @extschema@.open_visit_of(visitor_id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT jsonb_build_object('id', v.id, 'state', v.state, 'siteId', v.site_id,
                                      'since', @extschema@.rfc3339(coalesce(v.checked_in_at, v.requested_at)))
              FROM @extschema@.visits v WHERE v.tenant_id = @extschema@.current_tenant()
                  AND v.visitor_id = open_visit_of.visitor_id
                  AND v.state IN ('pending', 'checked_in'));
END $$;
COMMENT ON FUNCTION @extschema@.open_visit_of(uuid) IS
'The visitor''s open visit as data of a refusal (id, state, siteId, since), or null.';
REVOKE ALL ON FUNCTION @extschema@.open_visit_of(uuid) FROM PUBLIC;

-- Transitions: rule, times and actor are the state trigger's ------------------------------------------------------------

CREATE FUNCTION @extschema@.check_in(id uuid, gate_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visit record;
    gate uuid;
BEGIN
    SELECT v.site_id, v.visitor_id, v.group_size::int AS group_size,
        v.state::text AS state INTO visit FROM @extschema@.visits v WHERE v.tenant_id = @extschema@.current_tenant()
            AND v.id = check_in.id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Site before visit, as create_visit locks them. A visit that is not pending any more is the trigger's to refuse.
    IF visit.state = 'pending' THEN
        gate := @extschema@.gate_or_only(check_in.gate_id, visit.site_id, 'in');
        PERFORM FROM @extschema@.visitors p WHERE p.tenant_id = @extschema@.current_tenant()
            AND p.id = visit.visitor_id FOR KEY SHARE;
        PERFORM @extschema@.admit(visit.visitor_id, visit.site_id, visit.group_size, check_in.id);
    END IF;
    FOR attempt IN 1..20 LOOP
        BEGIN
            UPDATE @extschema@.visits v SET state = 'checked_in', gate_in_id = gate,
                badge_no = @extschema@.new_badge_no(attempt),
                   badge_day = @extschema@.today_at(visit.site_id) WHERE v.tenant_id = @extschema@.current_tenant()
                       AND v.id = check_in.id;
            RETURN QUERY SELECT * FROM @extschema@.get_visit(check_in.id);
            RETURN;
        EXCEPTION WHEN unique_violation THEN    -- the badge number is taken
        END;
    END LOOP;
    PERFORM @extschema@.refuse(503, 'busy', 'could not find a free badge number');
END $$;
COMMENT ON FUNCTION @extschema@.check_in(uuid, uuid) IS
'Lets a pending visit in at a gate. Errors: RG404, RG409 not pending, RG422 capacity, validity, gate. Callers: guard, '
'receptionist.';
REVOKE ALL ON FUNCTION @extschema@.check_in(uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/check-in', 'check_in', 'visits.write', 'object', 200, 'Checked in', false, 'write');

CREATE FUNCTION @extschema@.check_out(id uuid, gate_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT NULL,
    remark @extschema@.remark_input DEFAULT NULL, is_forced boolean DEFAULT false) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    visit record;
BEGIN
    check_out.remark := @extschema@.normalize_remark(check_out.remark);
    SELECT v.site_id, v.state::text AS state, v.group_size::int AS group_size INTO visit FROM @extschema@.visits v
        WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = check_out.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF visit.state = 'checked_in' AND check_out.group_size > visit.group_size THEN
        PERFORM @extschema@.refuse(422, 'group_size', 'more people leave than are inside',
            format('%s of this visit are inside.', visit.group_size), NULL,
                                   'group_size', jsonb_build_object('id', check_out.id, 'state', visit.state, 'groupSize',
                                       visit.group_size));
    ELSIF visit.state = 'checked_in' AND check_out.group_size < visit.group_size THEN
        -- Some of a group leave: the visit stays open for the others, the audit log keeps how many they were.
        UPDATE @extschema@.visits v SET group_size = visit.group_size - check_out.group_size,
            remark = coalesce(check_out.remark, v.remark)
         WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = check_out.id;
    ELSE
        UPDATE @extschema@.visits v SET state = 'checked_out',
            gate_out_id = @extschema@.gate_or_only(check_out.gate_id, visit.site_id, 'out'),
               is_forced = coalesce(check_out.is_forced, false), remark = coalesce(check_out.remark, v.remark)
         WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = check_out.id;
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(check_out.id);
END $$;
COMMENT ON FUNCTION @extschema@.check_out(uuid, uuid, @extschema@.group_size_input, @extschema@.remark_input, boolean) IS
'Ends a visit at a gate. With group_size only so many leave and the visit stays open while somebody is left. is_forced '
'marks one whose visitor was not seen leaving. Works while the tenant is suspended. Errors: RG404, RG409 not inside, '
'RG422 gate or too many. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.check_out(uuid, uuid, @extschema@.group_size_input, @extschema@.remark_input, boolean)
    FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only,
    lane, while_suspended)
VALUES ('POST', '/api/visits/{id}/check-out', 'check_out', 'visits.write', 'object', 200, 'Checked out',
    false, 'write', true);

CREATE FUNCTION @extschema@.refuse_visit(id uuid,
    remark @extschema@.remark_input DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    refuse_visit.remark := @extschema@.normalize_remark(refuse_visit.remark);
    UPDATE @extschema@.visits v SET state = 'refused', remark = coalesce(refuse_visit.remark, v.remark)
        WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = refuse_visit.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(refuse_visit.id);
END $$;
COMMENT ON FUNCTION @extschema@.refuse_visit(uuid, @extschema@.remark_input) IS
'Turns a pending visit away; the remark may say why. Errors: RG404, RG409 not pending. Callers: guard, receptionist, '
'host.';
REVOKE ALL ON FUNCTION @extschema@.refuse_visit(uuid, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/refuse', 'refuse_visit', 'visits.write', 'object', 200, 'Refused', false, 'write');

CREATE FUNCTION @extschema@.cancel_visit(id uuid,
    remark @extschema@.remark_input DEFAULT NULL) RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    cancel_visit.remark := @extschema@.normalize_remark(cancel_visit.remark);
    UPDATE @extschema@.visits v SET state = 'cancelled', remark = coalesce(cancel_visit.remark, v.remark)
        WHERE v.tenant_id = @extschema@.current_tenant() AND v.id = cancel_visit.id;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(cancel_visit.id);
END $$;
COMMENT ON FUNCTION @extschema@.cancel_visit(uuid, @extschema@.remark_input) IS
'Takes a pending visit back. Errors: RG404, RG409 not pending. Callers: guard, receptionist, host.';
REVOKE ALL ON FUNCTION @extschema@.cancel_visit(uuid, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('POST', '/api/visits/{id}/cancel', 'cancel_visit', 'visits.write', 'object', 200, 'Cancelled', false, 'write');
-- Coming in. Two guards may check the same person in at the same instant: the unique index on open visits decides, and the
-- loser is told what won. Site before visit: whoever takes both locks takes them in this order.

CREATE TYPE @extschema@.visit_trial AS (may_check_in boolean, state text, visitor_id uuid, site_id uuid,
    gate_id uuid, refusals jsonb);
COMMENT ON TYPE @extschema@.visit_trial IS
'What a walk-in would become: the state it would be born in, the visitor if known, and all reasons for a no (code, '
'message, detail, hint).';

CREATE TYPE @extschema@.visitor_state AS (
    id uuid, state text, open_visit__id uuid, open_visit__state text, open_visit__site_id uuid,
    open_visit__requested_at timestamptz,
    open_visit__checked_in_at timestamptz, may_check_in boolean, may_check_out boolean, refusals jsonb);
COMMENT ON TYPE @extschema@.visitor_state IS
'Where a visitor stands: state of the latest visit or none, the open visit, what may come next, and why not.';

-- The active visitor with the same mobile and the same name, whatever the case; a registered one before an unregistered one.
CREATE FUNCTION @extschema@.find_inline_visitor(first_name text, last_name text, mobile text) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN (SELECT p.id FROM @extschema@.visitors p
             WHERE p.tenant_id = @extschema@.current_tenant()
                 AND p.mobile = @extschema@.normalize_mobile(find_inline_visitor.mobile, @extschema@.tenant_country())
                 AND p.is_active
               AND p.search_name = @extschema@.fold_search(concat_ws(' ',
                   @extschema@.normalize_person_name(find_inline_visitor.first_name),
                                                                     @extschema@.normalize_person_name(find_inline_visitor.last_name)))
             ORDER BY p.visitor_type = 'registered' DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION @extschema@.find_inline_visitor(text, text, text) IS
'The active visitor with this mobile and this name, if there is one. Without a mobile nobody is the same person.';
REVOKE ALL ON FUNCTION @extschema@.find_inline_visitor(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.inline_visitor(first_name text, last_name text, mobile text, email text, category_id uuid,
    document_type text,
    document_no text) RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    category uuid := @extschema@.category_or_default(inline_visitor.category_id, 'visitor__category_id');
    document record;
    person uuid;
    known record;
BEGIN
    inline_visitor.first_name := @extschema@.normalize_person_name(inline_visitor.first_name);
    inline_visitor.last_name := @extschema@.normalize_person_name(inline_visitor.last_name);
    inline_visitor.mobile := @extschema@.normalize_mobile(inline_visitor.mobile, @extschema@.tenant_country());
    inline_visitor.email := @extschema@.normalize_email(inline_visitor.email);
    PERFORM @extschema@.check_mobile_given(category, inline_visitor.mobile, 'visitor__mobile');
    SELECT * INTO document FROM @extschema@.document_traits(inline_visitor.document_type,
        inline_visitor.document_no, 'visitor__');
    person := @extschema@.find_inline_visitor(inline_visitor.first_name, inline_visitor.last_name, inline_visitor.mobile);
    IF person IS NULL THEN
        -- Two taps on one button are one person: the unique index decides, the next statement finds the other tap's row.
        INSERT INTO @extschema@.visitors (visitor_type, first_name, last_name, mobile, email, category_id, document_type,
            document_masked, document_hash)
        VALUES ('unregistered', inline_visitor.first_name, inline_visitor.last_name, inline_visitor.mobile,
            inline_visitor.email, category,
                inline_visitor.document_type, document.masked, document.hash)
        ON CONFLICT DO NOTHING RETURNING id INTO person;
        IF person IS NOT NULL THEN
            RETURN person;
        END IF;
        person := @extschema@.find_inline_visitor(inline_visitor.first_name, inline_visitor.last_name,
            inline_visitor.mobile);
    END IF;
    IF inline_visitor.email IS NOT NULL OR document.hash IS NOT NULL THEN
        SELECT p.email::text AS email, p.document_hash INTO known FROM @extschema@.visitors p
            WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = person FOR NO KEY UPDATE;
        IF document.hash <> known.document_hash THEN
            PERFORM @extschema@.refuse(409, 'document_differs', 'this visitor is known with another document', NULL,
                'Look the visitor up, correct the document there, then use visitorId.', 'visitor__document_no',
                    jsonb_build_object('id', person));
        ELSIF (known.email IS NULL AND inline_visitor.email IS NOT NULL)
            OR (known.document_hash IS NULL AND document.hash IS NOT NULL) THEN
            UPDATE @extschema@.visitors p SET
                email = coalesce(p.email, inline_visitor.email),
                document_type = CASE WHEN p.document_hash IS NULL THEN inline_visitor.document_type
                    ELSE p.document_type END,
                document_masked = CASE WHEN p.document_hash IS NULL THEN document.masked ELSE p.document_masked END,
                document_hash = coalesce(p.document_hash, document.hash)
             WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = person;
        END IF;
    END IF;
    RETURN person;
END $$;
COMMENT ON FUNCTION @extschema@.inline_visitor(text, text, text, text, uuid, text, text) IS
'The visitor that a walk-in brings along: the active one with the same mobile and name, else a new unregistered one. What '
'a known visitor lacked is added, nothing is overwritten. Errors: RG400, RG404 category, RG409 known with another '
'document.';
REVOKE ALL ON FUNCTION @extschema@.inline_visitor(text, text, text, text, uuid, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_visit_links(purpose_id uuid, host_id uuid, unit_id uuid) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_visit_links.purpose_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM @extschema@.purposes w WHERE w.tenant_id = @extschema@.current_tenant()
           AND w.id = check_visit_links.purpose_id AND w.kind = 'visit'
           AND w.is_active) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such purpose of a visit', NULL, NULL, 'purpose_id');
    END IF;
    IF check_visit_links.host_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM @extschema@.hosts h WHERE h.tenant_id = @extschema@.current_tenant()
            AND h.id = check_visit_links.host_id AND h.is_active) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such host', NULL, NULL, 'host_id');
    END IF;
    PERFORM @extschema@.check_unit(check_visit_links.unit_id);
END $$;
COMMENT ON FUNCTION @extschema@.check_visit_links(uuid, uuid, uuid) IS
'Refuses a purpose, host or unit that is not there, by name. Errors: RG404.';
REVOKE ALL ON FUNCTION @extschema@.check_visit_links(uuid, uuid, uuid) FROM PUBLIC;

-- A site's day has far fewer visits than there are numbers, so a random one is nearly always free and guards at several
-- gates never wait for each other, as a counter would make them. The unique index on site, day and number refuses doubles.
CREATE FUNCTION @extschema@.new_badge_no(attempt int) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN attempt <= 6 THEN 1000 + floor(random() * 9000)::int
        ELSE 100000 + floor(random() * 900000)::int END::text;
END $$;
COMMENT ON FUNCTION @extschema@.new_badge_no(int) IS
'A badge number to try: four digits, six when four were taken time and again.';
REVOKE ALL ON FUNCTION @extschema@.new_badge_no(int) FROM PUBLIC;

CREATE FUNCTION @extschema@.create_visit(visitor__first_name @extschema@.person_name_input DEFAULT NULL,
    visitor__last_name @extschema@.person_name_input DEFAULT NULL, visitor__mobile @extschema@.mobile_input DEFAULT NULL,
    visitor__email @extschema@.email_input DEFAULT NULL, visitor__category_id uuid DEFAULT NULL,
    visitor__document_type @extschema@.document_type_input DEFAULT NULL,
    visitor__document_no @extschema@.document_number_input DEFAULT NULL,
    visitor_id uuid DEFAULT NULL, purpose @extschema@.label_input DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT 1, host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL,
    site_id uuid DEFAULT NULL,
    gate_id uuid DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    remark @extschema@.remark_input DEFAULT NULL)
RETURNS SETOF @extschema@.visit
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid;
    gate uuid;
    person uuid := create_visit.visitor_id;
    asks boolean;
    made uuid;
BEGIN
    create_visit.purpose := @extschema@.normalize_label(create_visit.purpose);
    create_visit.vehicle_no := @extschema@.normalize_vehicle_number(create_visit.vehicle_no, @extschema@.tenant_country());
    create_visit.remark := @extschema@.normalize_remark(create_visit.remark);
    PERFORM @extschema@.check_one_of(create_visit.visitor__first_name IS NOT NULL, create_visit.visitor_id IS NOT NULL,
        'visitor', 'visitor_id');
    PERFORM @extschema@.check_one_of(create_visit.purpose IS NOT NULL, create_visit.purpose_id IS NOT NULL,
        'purpose', 'purpose_id');
    site := @extschema@.site_of_request(create_visit.site_id, create_visit.gate_id);
    gate := @extschema@.gate_or_only(create_visit.gate_id, site, 'in');
    PERFORM @extschema@.check_visit_links(create_visit.purpose_id, create_visit.host_id, create_visit.unit_id);
    IF person IS NULL THEN
        person := @extschema@.inline_visitor(create_visit.visitor__first_name, create_visit.visitor__last_name,
            create_visit.visitor__mobile,
            create_visit.visitor__email, create_visit.visitor__category_id, create_visit.visitor__document_type,
                create_visit.visitor__document_no);
    END IF;
    -- The visit's foreign key takes this lock anyway; taken before the visitor is looked at, nobody is deleted in between.
    PERFORM FROM @extschema@.visitors p WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = person FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor', NULL, NULL, 'visitor_id');
    END IF;
    PERFORM @extschema@.admit(person, site, create_visit.group_size);
    asks := (SELECT s.ask_host FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = site);
    FOR attempt IN 1..20 LOOP
        INSERT INTO @extschema@.visits (site_id, visitor_id, state, requested_at, purpose_id, purpose, host_id, unit_id,
            group_size, gate_in_id, vehicle_no,
                                        badge_no, badge_day, remark)
        VALUES (site, person, CASE WHEN asks THEN 'pending' ELSE 'checked_in' END, now(), create_visit.purpose_id,
            create_visit.purpose, create_visit.host_id,
                create_visit.unit_id, coalesce(create_visit.group_size, 1), CASE WHEN NOT asks THEN gate END,
                    create_visit.vehicle_no,
                CASE WHEN NOT asks THEN @extschema@.new_badge_no(attempt) END, CASE
                    WHEN NOT asks THEN @extschema@.today_at(site) END, create_visit.remark)
        ON CONFLICT DO NOTHING RETURNING id INTO made;
        EXIT WHEN made IS NOT NULL;
        -- Another gate was faster: its visit is committed and seen from here on. Else the badge number was taken.
        PERFORM @extschema@.admit(person, site, create_visit.group_size);
    END LOOP;
    IF made IS NULL THEN
        PERFORM @extschema@.refuse(503, 'busy', 'could not find a free badge number');
    END IF;
    RETURN QUERY SELECT * FROM @extschema@.get_visit(made);
END $$;
COMMENT ON FUNCTION @extschema@.create_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) IS
'A walk-in: checks a visitor in, one brought along (visitor__...) or a known one (visitor_id); pending where the site '
'asks the host. Site and gate may be left out where there is one. Errors: RG400, RG404, RG409 inside already (with the '
'open visit), RG422 capacity, validity, gate. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.create_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, location, message, required,
    one_of, read_only, lane)
VALUES ('POST', '/api/visits', 'create_visit', 'visits.write', 'object', 201, '/api/visits/{id}', 'Visit created',
    '{visitor__first_name}', '{visitor|visitor_id,purpose|purpose_id}', false, 'write');

CREATE FUNCTION @extschema@.check_one_of(has_one boolean, has_other boolean, one text, other text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF has_one = has_other THEN
        PERFORM @extschema@.refuse(400, CASE WHEN has_one THEN 'conflict' ELSE 'required' END,
            format('exactly one of "%s" and "%s" is needed', one, other),
                                   NULL, NULL, one);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_one_of(boolean, boolean, text, text) IS
'What the route''s one_of says, for callers in SQL. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.check_one_of(boolean, boolean, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.site_of_request(site_id uuid, gate_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN @extschema@.site_or_only(coalesce(site_of_request.site_id,
        (SELECT g.site_id FROM @extschema@.gates g WHERE g.tenant_id = @extschema@.current_tenant()
            AND g.id = site_of_request.gate_id)));
END $$;
COMMENT ON FUNCTION @extschema@.site_of_request(uuid, uuid) IS
'The site that was named, else the gate''s, else the only one. Errors: RG400, RG404.';
REVOKE ALL ON FUNCTION @extschema@.site_of_request(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.try_visit(visitor__first_name @extschema@.person_name_input DEFAULT NULL,
    visitor__last_name @extschema@.person_name_input DEFAULT NULL, visitor__mobile @extschema@.mobile_input DEFAULT NULL,
    visitor__email @extschema@.email_input DEFAULT NULL, visitor__category_id uuid DEFAULT NULL,
    visitor__document_type @extschema@.document_type_input DEFAULT NULL,
    visitor__document_no @extschema@.document_number_input DEFAULT NULL,
    visitor_id uuid DEFAULT NULL, purpose @extschema@.label_input DEFAULT NULL, purpose_id uuid DEFAULT NULL,
    group_size @extschema@.group_size_input DEFAULT 1, host_id uuid DEFAULT NULL, unit_id uuid DEFAULT NULL,
    site_id uuid DEFAULT NULL,
    gate_id uuid DEFAULT NULL, vehicle_no @extschema@.vehicle_number_input DEFAULT NULL,
    remark @extschema@.remark_input DEFAULT NULL)
RETURNS SETOF @extschema@.visit_trial
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid := @extschema@.site_of_request(try_visit.site_id, try_visit.gate_id);
    gate uuid := @extschema@.gate_or_only(try_visit.gate_id, site, 'in');
    person uuid := try_visit.visitor_id;
    refusals jsonb;
BEGIN
    PERFORM @extschema@.check_one_of(try_visit.visitor__first_name IS NOT NULL, try_visit.visitor_id IS NOT NULL,
        'visitor', 'visitor_id');
    PERFORM @extschema@.check_visit_links(try_visit.purpose_id, try_visit.host_id, try_visit.unit_id);
    -- The columns' triggers refuse these in create_visit; here nothing is written.
    PERFORM @extschema@.normalize_label(try_visit.purpose), @extschema@.normalize_remark(try_visit.remark),
            @extschema@.normalize_email(try_visit.visitor__email),
            @extschema@.normalize_vehicle_number(try_visit.vehicle_no, @extschema@.tenant_country());
    IF person IS NULL THEN
        PERFORM @extschema@.check_mobile_given(@extschema@.category_or_default(try_visit.visitor__category_id,
            'visitor__category_id'),
            try_visit.visitor__mobile, 'visitor__mobile');
        PERFORM @extschema@.document_traits(try_visit.visitor__document_type, try_visit.visitor__document_no, 'visitor__');
        person := @extschema@.find_inline_visitor(try_visit.visitor__first_name, try_visit.visitor__last_name,
            try_visit.visitor__mobile);
    ELSIF NOT EXISTS (SELECT FROM @extschema@.visitors p WHERE p.tenant_id = @extschema@.current_tenant()
        AND p.id = person) THEN
        PERFORM @extschema@.refuse(404, 'not_found', 'no such visitor', NULL, NULL, 'visitor_id');
    END IF;
    refusals := @extschema@.refusal_list(person, site, try_visit.group_size);
    RETURN QUERY SELECT refusals = '[]', CASE WHEN refusals <> '[]' THEN NULL WHEN s.ask_host THEN 'pending'
        ELSE 'checked_in' END, person, site, gate, refusals
                   FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.id = site;
END $$;
COMMENT ON FUNCTION @extschema@.try_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) IS
'What create_visit would say to the same arguments, with all reasons for a no, and nothing written. The purpose may be '
'left out. Errors: RG400, RG404. Callers: guard, receptionist.';
REVOKE ALL ON FUNCTION @extschema@.try_visit(@extschema@.person_name_input, @extschema@.person_name_input,
    @extschema@.mobile_input, @extschema@.email_input,
    uuid, @extschema@.document_type_input, @extschema@.document_number_input, uuid, @extschema@.label_input, uuid,
    @extschema@.group_size_input, uuid, uuid,
    uuid, uuid, @extschema@.vehicle_number_input, @extschema@.remark_input) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, required,
    one_of, read_only, lane)
VALUES ('POST', '/api/visits/try', 'try_visit', 'visits.write', 'object', 200, 'Nothing was written',
    '{visitor__first_name}', '{visitor|visitor_id}', true, 'read');

CREATE FUNCTION @extschema@.get_visitor_status(id uuid, site_id uuid DEFAULT NULL) RETURNS SETOF @extschema@.visitor_state
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site uuid := coalesce(get_visitor_status.site_id,
        (SELECT s.id FROM @extschema@.sites s WHERE s.tenant_id = @extschema@.current_tenant() AND s.is_active
                          AND NOT EXISTS (SELECT FROM @extschema@.sites o WHERE o.tenant_id = @extschema@.current_tenant()
                              AND o.is_active AND o.id <> s.id)));
    refusals jsonb := @extschema@.refusal_list(get_visitor_status.id, site);
BEGIN
    RETURN QUERY
    SELECT p.id, coalesce(latest.state, 'none'), o.id, o.state::text, o.site_id, o.requested_at, o.checked_in_at,
           refusals = '[]', coalesce(o.state = 'checked_in', false), refusals
      FROM @extschema@.visitors p
      LEFT JOIN @extschema@.visits o ON o.tenant_id = p.tenant_id AND o.visitor_id = p.id
          AND o.state IN ('pending', 'checked_in')
      LEFT JOIN LATERAL (SELECT v.state::text AS state FROM @extschema@.visits v
          WHERE v.tenant_id = @extschema@.current_tenant() AND v.visitor_id = p.id
                          ORDER BY v.requested_at DESC, v.id DESC LIMIT 1) latest ON true
     WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = get_visitor_status.id;
END $$;
COMMENT ON FUNCTION @extschema@.get_visitor_status(uuid, uuid) IS
'Where a visitor stands: state of the latest visit or none, the open visit, may check in (at the site, if named or the '
'only one) or out, and all reasons for a no. Errors: RG404. Callers: guard, receptionist, admin.';
REVOKE ALL ON FUNCTION @extschema@.get_visitor_status(uuid, uuid) FROM PUBLIC;
INSERT INTO @extschema@.product_routes (method, pattern, function, permission, answer, status, message, read_only, lane)
VALUES ('GET', '/api/visitors/{id}/status', 'get_visitor_status', 'visits.read', 'object', 200, 'Status', true, 'read');
