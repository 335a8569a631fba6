-- Revert relygate:visitor_categories from pg

BEGIN;

DROP TABLE relygate.visitor_categories;

COMMIT;
