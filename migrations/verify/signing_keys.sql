-- Verify relygate:signing_keys on pg

BEGIN;

SELECT kid, purpose, algorithm, public_jwk, private_jwk, secret, longest_lifetime, signs_from, published_until
  FROM relygate_global.signing_keys WHERE false;
DO $$ BEGIN
    ASSERT NOT has_column_privilege('relygate_api', 'relygate_global.signing_keys', 'private_jwk', 'SELECT'), 'private keys are open';
    ASSERT NOT has_column_privilege('relygate_api', 'relygate_global.signing_keys', 'secret', 'SELECT'), 'secrets are open';
END $$;

ROLLBACK;
