-- The visitor that a walk-in brings along: found again, or made.

-- The active visitor with the same mobile and the same name, whatever the case; a registered one before an unregistered one.
CREATE FUNCTION @extschema@.find_inline_visitor(first_name text, last_name text, mobile text) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    folded CONSTANT text := @extschema@.fold_search(concat_ws(' ', find_inline_visitor.first_name, find_inline_visitor.last_name));
BEGIN
    RETURN (SELECT p.id FROM @extschema@.visitors p
             WHERE p.tenant_id = @extschema@.current_tenant() AND p.mobile = find_inline_visitor.mobile AND p.is_active
               AND p.search_name IS NOT DISTINCT FROM folded   -- as an = the planner might look for all of that name
             ORDER BY p.visitor_type = 'registered' DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION @extschema@.find_inline_visitor(text, text, text) IS
'The active visitor with this mobile and this name, given as they are kept (normalized), if there is one. Without a mobile '
'nobody is the same person.';
REVOKE ALL ON FUNCTION @extschema@.find_inline_visitor(text, text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.document_refusal(visitor_id uuid) RETURNS @extschema@.checkin_refusal
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (409, 'document_differs', 'this visitor is known with another document', NULL,
            'Look the visitor up, correct the document there, then use visitorId.',
            jsonb_build_object('id', document_refusal.visitor_id))::@extschema@.checkin_refusal;
END $$;
COMMENT ON FUNCTION @extschema@.document_refusal(uuid) IS
'The reason against a walk-in who shows another document than the visitor whom he is taken for.';
REVOKE ALL ON FUNCTION @extschema@.document_refusal(uuid) FROM PUBLIC;

CREATE FUNCTION @extschema@.inline_visitor(first_name text, last_name text, mobile text, email text, category_id uuid,
    document_type text,
    document_no text, OUT person uuid, OUT is_new boolean)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    category uuid := @extschema@.category_or_default(inline_visitor.category_id);
    masked text;
    hash bytea;
    known record;
    refusal @extschema@.checkin_refusal;
BEGIN
    inline_visitor.first_name := @extschema@.normalize_person_name(inline_visitor.first_name, 'visitor__first_name');
    inline_visitor.last_name := @extschema@.normalize_person_name(inline_visitor.last_name, 'visitor__last_name');
    inline_visitor.mobile := @extschema@.normalize_mobile(inline_visitor.mobile, @extschema@.tenant_country());
    inline_visitor.email := @extschema@.normalize_email(inline_visitor.email);
    PERFORM @extschema@.check_mobile_given(category, inline_visitor.mobile, 'visitor__mobile');
    IF num_nonnulls(inline_visitor.document_type, inline_visitor.document_no) > 0 THEN
        SELECT d.masked, d.hash INTO masked, hash FROM @extschema@.document_traits(inline_visitor.document_type,
            inline_visitor.document_no, 'visitor__') d;
    END IF;
    person := @extschema@.find_inline_visitor(inline_visitor.first_name, inline_visitor.last_name, inline_visitor.mobile);
    IF person IS NULL THEN
        -- Two taps on one button are one person: the unique index decides, the next statement finds the other tap's row.
        INSERT INTO @extschema@.visitors (visitor_type, first_name, last_name, mobile, email, category_id, document_type,
            document_masked, document_hash)
        VALUES ('unregistered', inline_visitor.first_name, inline_visitor.last_name, inline_visitor.mobile,
            inline_visitor.email, category,
                inline_visitor.document_type, masked, hash)
        ON CONFLICT DO NOTHING RETURNING id, is_active AND valid_from IS NULL AND valid_until IS NULL INTO person, is_new;
        IF person IS NOT NULL THEN
            RETURN;
        END IF;
        person := @extschema@.find_inline_visitor(inline_visitor.first_name, inline_visitor.last_name,
            inline_visitor.mobile);
    END IF;
    is_new := false;
    IF inline_visitor.email IS NOT NULL OR hash IS NOT NULL THEN
        SELECT p.email::text AS email, p.document_hash INTO known FROM @extschema@.visitors p
            WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = person FOR NO KEY UPDATE;
        IF hash <> known.document_hash THEN
            refusal := @extschema@.document_refusal(person);
            PERFORM @extschema@.refuse(refusal.status, refusal.code, refusal.message, refusal.detail, refusal.hint, 'visitor__document_no',
                refusal.data);
        ELSIF (known.email IS NULL AND inline_visitor.email IS NOT NULL)
            OR (known.document_hash IS NULL AND hash IS NOT NULL) THEN
            UPDATE @extschema@.visitors p SET
                email = coalesce(p.email, inline_visitor.email),
                document_type = CASE WHEN p.document_hash IS NULL THEN inline_visitor.document_type
                    ELSE p.document_type END,
                document_masked = CASE WHEN p.document_hash IS NULL THEN masked ELSE p.document_masked END,
                document_hash = coalesce(p.document_hash, hash)
             WHERE p.tenant_id = @extschema@.current_tenant() AND p.id = person;
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION @extschema@.inline_visitor(text, text, text, text, uuid, text, text) IS
'The visitor that a walk-in brings along: the active one with the same mobile and name, else a new unregistered one (is_new, '
'unless a trigger of the DBA made him inactive or bounded his validity: then he is to be judged). What '
'a known visitor lacked is added, nothing is overwritten. Errors: RG400, RG404 category, RG409 known with another '
'document.';
REVOKE ALL ON FUNCTION @extschema@.inline_visitor(text, text, text, text, uuid, text, text) FROM PUBLIC;
