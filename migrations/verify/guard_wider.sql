-- Verify relygate:guard_wider on pg

BEGIN;
DO $$
BEGIN
    ASSERT EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtname = 'relygate_guard_ddl' AND e.evtenabled IN ('O', 'A')
                      AND e.evttags @> ARRAY['CREATE INDEX', 'CREATE RULE', 'CREATE TABLE']), 'the guard does not look at indexes, rules and tables';
END $$;
ROLLBACK;
