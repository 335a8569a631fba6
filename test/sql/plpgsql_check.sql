-- The bodies of PL/pgSQL functions are text: nothing checks them against the tables before they run. plpgsql_check does.
BEGIN;
SELECT plan(2);
-- Planning a query estimates current_tenant(): without a context that is an error.
SELECT relygate.create_tenant('T_CHECKED', 'Checked', 'office', 'Asia/Kolkata', 'IN') IS NOT NULL AS made \gset

SELECT cmp_ok((SELECT count(*)::int FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
               WHERE l.lanname = 'plpgsql' AND p.pronamespace = 'relygate'::regnamespace), '>', 50, 'there are functions to check');

SELECT is_empty($$
    SELECT p.oid::regprocedure, found.level, found.lineno, found.message, found.detail
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
           LEFT JOIN LATERAL (SELECT tgrelid FROM pg_trigger WHERE tgfoid = p.oid LIMIT 1) t ON true
           CROSS JOIN LATERAL plpgsql_check_function_tb(p.oid, coalesce(t.tgrelid, 0), fatal_errors => false,
               performance_warnings => false, extra_warnings => true, security_warnings => true) found
     WHERE l.lanname = 'plpgsql' AND p.pronamespace IN ('relygate'::regnamespace, 'relygate_report'::regnamespace, 'relygate_global'::regnamespace)
       AND p.prorettype <> 'event_trigger'::regtype AND (p.prorettype <> 'trigger'::regtype OR t.tgrelid IS NOT NULL)
       AND found.message !~ '^name of parameter "(from|to|table|user)" is reserved keyword$'   -- as the API names them; quoted where they stand$$,
    'plpgsql_check finds nothing in any function');

SELECT * FROM finish();
ROLLBACK;
