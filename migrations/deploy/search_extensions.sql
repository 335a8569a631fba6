-- Deploy relygate:search_extensions to pg
--
-- Trigrams, and uuid as the first column of a GIN index: a tenant's search reads the tenant's part of the index only.

BEGIN;

CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public;

COMMIT;
