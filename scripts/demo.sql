-- Called by scripts/demo. Names, mobiles and days are computed from numbers, so every demo is the same but for the day it
-- was loaded on.
\getenv admin_password ADMIN_PASSWORD
\getenv guard_password GUARD_PASSWORD
\getenv second_admin_password SECOND_ADMIN_PASSWORD
\getenv report_password REPORT_PASSWORD
\getenv second_report_password SECOND_REPORT_PASSWORD
\getenv shim_password SHIM_PASSWORD
SET client_min_messages = warning;
-- Passwords of logins are sent in statements: they have no business in a log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET application_name = 'demo';

SELECT format('CREATE ROLE %I LOGIN', wanted) FROM unnest(ARRAY['report_green', 'report_blue']) AS wanted
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec
ALTER ROLE report_green LOGIN PASSWORD :'report_password';
ALTER ROLE report_blue LOGIN PASSWORD :'second_report_password';
ALTER ROLE relygate_shim LOGIN PASSWORD :'shim_password';

SELECT relygate.find_tenant('MARINA') IS NOT NULL AS is_loaded \gset
\if :is_loaded
\else
\i scripts/demo_data.sql
\endif

-- Users log in with what was asked for, also where the demo is older than the passwords.
CREATE PROCEDURE pg_temp.set_password(tenant text, user_name text, password text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', relygate.find_tenant(set_password.tenant)::text, true);
    PERFORM relygate.update_user(u.id, password => set_password.password) FROM relygate.users u
      WHERE u.tenant_id = relygate.current_tenant() AND u.user_name = set_password.user_name
        AND NOT relygate.verify_password(set_password.password, u.password_hash);
END $$;
CALL pg_temp.set_password('GREENWOOD', 'admin', :'admin_password');
CALL pg_temp.set_password('GREENWOOD', 'guard', :'guard_password');
CALL pg_temp.set_password('MARINA', 'admin', :'second_admin_password');
