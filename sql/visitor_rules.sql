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

CREATE FUNCTION @extschema@.category_or_default(category_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF category_or_default.category_id IS NOT NULL THEN
        RETURN category_or_default.category_id;
    END IF;
    RETURN (SELECT c.id FROM @extschema@.visitor_categories c
        WHERE c.tenant_id = @extschema@.current_tenant() AND c.is_default AND c.is_active);
END $$;
COMMENT ON FUNCTION @extschema@.category_or_default(uuid) IS
'The category that was named, or the tenant''s default (may be null).';
REVOKE ALL ON FUNCTION @extschema@.category_or_default(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_mobile_given(category_id uuid, mobile text, field text DEFAULT 'mobile') RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF check_mobile_given.mobile IS NOT NULL THEN
        RETURN;
    END IF;
    IF coalesce((SELECT c.asks_mobile FROM @extschema@.visitor_categories c
           WHERE c.tenant_id = @extschema@.current_tenant() AND c.id = check_mobile_given.category_id),
           check_mobile_given.category_id IS NULL) THEN
        PERFORM @extschema@.refuse(400, 'required', 'a mobile is needed', 'Visitors of this category must give one.', NULL,
            check_mobile_given.field);
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_mobile_given(uuid, text, text) IS
'Refuses a visitor without mobile unless the category waives it. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.check_mobile_given(uuid, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.check_validity(valid_from date, valid_until date) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF valid_until < valid_from THEN
        PERFORM @extschema@.refuse(400, 'range', 'validity ends before it begins', field => 'valid_until');
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.check_validity(date, date) IS 'Refuses a validity that ends before it begins. Errors: RG400.';
REVOKE ALL ON FUNCTION @extschema@.check_validity(date, date) FROM PUBLIC;

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
        RETURN;
    ELSIF document_no IS NULL THEN
        PERFORM @extschema@.refuse(400, 'required', 'the number of the document is needed', NULL, NULL,
            level || 'document_no');
        RETURN;
    END IF;
    BEGIN
        number := @extschema@.normalize_document_number(document_type, document_no, @extschema@.tenant_country());
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
