-- Deploy relygate:login_failures to pg
-- requires: schemas
--
-- Counts failed logins by a digest of tenant and user name, known or not: an unknown name is locked like a known one, so a
-- lock tells nothing. Global, since an unknown tenant has no context. Only the two definer functions reach the table.

BEGIN;

CREATE TABLE relygate_global.login_failures (
    digest       bytea       NOT NULL PRIMARY KEY,
    failures     int         NOT NULL,
    window_from  timestamptz NOT NULL,
    locked_until timestamptz
);
CREATE INDEX login_failures_window ON relygate_global.login_failures (window_from);
COMMENT ON TABLE relygate_global.login_failures IS 'Failed logins of the last minutes, by a digest of tenant and user name.';
ALTER TABLE relygate_global.login_failures OWNER TO relygate_platform;
REVOKE ALL ON relygate_global.login_failures FROM PUBLIC;

-- Counts before the password is looked at and holds the row until the end of the transaction: of many attempts at the same
-- instant none is free. Five in a quarter of an hour lock for a quarter of an hour; the fifth itself may still be right.
CREATE FUNCTION relygate.count_login_attempt(tenant text, user_name text) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    limit_of_failures CONSTANT int := 5;
    period CONSTANT interval := interval '15 minutes';
    at CONSTANT timestamptz := clock_timestamp();
    digest CONSTANT bytea := sha256(convert_to(lower(tenant) || E'\n' || lower(user_name), 'UTF8'));
    known record;
BEGIN
    -- Names that nobody asks for any more go, a few at a time.
    DELETE FROM relygate_global.login_failures f
     WHERE f.digest IN (SELECT old.digest FROM relygate_global.login_failures old
                         WHERE old.window_from < at - 2 * period ORDER BY old.window_from LIMIT 10 FOR UPDATE SKIP LOCKED);
    LOOP    -- again if a login that succeeded meanwhile has taken the row away
        INSERT INTO relygate_global.login_failures (digest, failures, window_from)
        VALUES (digest, 0, at) ON CONFLICT DO NOTHING;
        SELECT f.* INTO known FROM relygate_global.login_failures f WHERE f.digest = digest FOR UPDATE;
        EXIT WHEN FOUND;
    END LOOP;
    IF known.locked_until > at THEN
        RETURN known.locked_until;
    END IF;
    IF known.locked_until IS NOT NULL OR known.window_from < at - period THEN
        known.failures := 0;
        known.window_from := at;
    END IF;
    UPDATE relygate_global.login_failures f
       SET failures = known.failures + 1, window_from = known.window_from,
           locked_until = CASE WHEN known.failures + 1 >= limit_of_failures THEN at + period END
     WHERE f.digest = digest;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION relygate.count_login_attempt(text, text) IS
'Counts an attempt to log in. Answers until when the name is locked, or NULL where the attempt may go on.';

CREATE FUNCTION relygate.clear_login_attempts(tenant text, user_name text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    DELETE FROM relygate_global.login_failures f
     WHERE f.digest = sha256(convert_to(lower(tenant) || E'\n' || lower(user_name), 'UTF8'));
END $$;
COMMENT ON FUNCTION relygate.clear_login_attempts(text, text) IS 'Forgets failed attempts, after a login or when a user is unlocked.';

ALTER FUNCTION relygate.count_login_attempt(text, text) OWNER TO relygate_platform;
ALTER FUNCTION relygate.clear_login_attempts(text, text) OWNER TO relygate_platform;
REVOKE ALL ON FUNCTION relygate.count_login_attempt(text, text), relygate.clear_login_attempts(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION relygate.count_login_attempt(text, text), relygate.clear_login_attempts(text, text) TO relygate_api;

COMMIT;
