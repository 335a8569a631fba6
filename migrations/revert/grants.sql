-- Revert relygate:grants from pg

BEGIN;
DO $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN
        SELECT d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
         WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'relygate'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM relygate_api, relygate_owner, relygate_reporting', function);
    END LOOP;
END $$;
COMMIT;
