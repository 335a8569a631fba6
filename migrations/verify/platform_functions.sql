-- Verify relygate:platform_functions on pg

BEGIN;

DO $$
DECLARE
    names CONSTANT text[] := ARRAY['find_tenant', 'list_tenants', 'insert_tenant', 'sign_token', 'keyed_hash', 'rotate_signing_key'];
BEGIN
    ASSERT (SELECT count(*) = cardinality(names) FROM pg_proc p
             WHERE p.pronamespace = 'relygate'::regnamespace AND p.proname = ANY (names) AND p.prosecdef
               AND p.proowner = 'relygate_platform'::regrole AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp']),
           'a function of relygate_platform is missing or has other rights';
    ASSERT NOT EXISTS (SELECT FROM pg_proc p, aclexplode(p.proacl) a
                        WHERE p.pronamespace = 'relygate'::regnamespace AND p.proname = ANY (names) AND a.grantee = 0),
           'everybody may call a function of relygate_platform';
    ASSERT EXISTS (SELECT FROM relygate_global.signing_keys WHERE purpose = 'token' AND private_jwk IS NOT NULL), 'no key for tokens';
END $$;

ROLLBACK;
