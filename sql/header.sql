-- Extension relygate: functions, types and the route catalogue. Tables, policies and grants come from migrations/.
-- Every function is revoked from PUBLIC here; relygate.grant_functions(), called by the migrations, grants them.
\echo Use "CREATE EXTENSION relygate" to load this file. \quit
