-- Verify relygate:rights_cache on pg

BEGIN;

SELECT FROM relygate_global.rights_changes WHERE false;
DO $$ BEGIN
    ASSERT (SELECT count(*) FROM pg_trigger WHERE tgfoid = 'relygate.rights_changed()'::regprocedure AND tgenabled = 'A') = 5,
        'a table that rights come from tells nobody of its changes';
END $$;

ROLLBACK;
