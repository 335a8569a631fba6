-- Verify relygate:routes on pg

BEGIN;

SELECT method, pattern, function, permission, answer, status, location, message, required, one_of, read_only, lane, body_limit,
       while_suspended, tenant_argument, is_product FROM relygate.routes WHERE false;
DO $$ BEGIN
    ASSERT has_table_privilege('relygate_api', 'relygate.routes', 'SELECT'), 'the dispatcher cannot read the routes';
    ASSERT NOT has_table_privilege('relygate_api', 'relygate_global.routes', 'INSERT'), 'a request could add a route';
    ASSERT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'relygate_global.routes'::regclass AND tgname = 'changed'), 'no trigger';
END $$;

ROLLBACK;
