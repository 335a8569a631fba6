-- Words that every pgTAP file may use. Loaded once into the database of the tests, never into a product.
CREATE SCHEMA test;

-- Works as this role for this tenant until the end of the transaction (lifetime session: pgTAP switches tenants).
-- Without a tenant the context is emptied.
CREATE FUNCTION test.act_as(tenant uuid, role name DEFAULT 'relygate_api', user_id uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RESET ROLE;
    PERFORM pg_catalog.set_config('app.tenant_id', coalesce(act_as.tenant::text, ''), true),
            pg_catalog.set_config('app.user_id', coalesce(act_as.user_id::text, ''), true);
    EXECUTE format('SET LOCAL ROLE %I', role);
END $$;

-- For throws_ok: what is not refused is undone all the same, so that each line stands for itself.
CREATE FUNCTION test.undone(statement text) RETURNS text LANGUAGE sql AS
    $$ SELECT format('DO $do$ BEGIN EXECUTE %L; RAISE EXCEPTION ''not refused'' USING ERRCODE = ''RG000''; END $do$', statement) $$;

-- For validate_schema(): its lines, and those that are new after this was done (@: the database), beside test.findings_before; undone again.
CREATE FUNCTION test.findings(with_guard boolean DEFAULT false) RETURNS text[] LANGUAGE sql AS
    $$ SELECT ARRAY(SELECT object || ': ' || finding FROM relygate.validate_schema() WHERE with_guard OR object NOT LIKE 'event trigger %'
                    ORDER BY object || ': ' || finding COLLATE "C") $$;
CREATE FUNCTION test.findings_after(plant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    BEGIN
        EXECUTE replace(plant, '@', quote_ident(current_database()));
        found := array_to_string(ARRAY(SELECT f.line FROM unnest(test.findings(plant LIKE '%EVENT TRIGGER%')) WITH ORDINALITY f (line, place)
                                        WHERE f.line NOT IN (SELECT b.line FROM test.findings_before b) ORDER BY f.place), '|');
        RAISE EXCEPTION USING ERRCODE = 'RG000';
    EXCEPTION WHEN SQLSTATE 'RG000' THEN
        RETURN found;
    END;
END $$;

GRANT USAGE ON SCHEMA test, tap TO PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test TO PUBLIC;
