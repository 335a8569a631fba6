-- Search that can use an index under row-level security, where LIKE cannot (it may raise, so it is not leakproof).

CREATE FUNCTION @extschema@.contains_pattern(term text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_contains_pattern';
COMMENT ON FUNCTION @extschema@.contains_pattern(text) IS 'The term as a pattern of LIKE, for the index condition of contains().';
REVOKE ALL ON FUNCTION @extschema@.contains_pattern(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.contains_support(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_contains_support';
COMMENT ON FUNCTION @extschema@.contains_support(internal) IS 'Lets contains() use a trigram index. Called by the planner.';
REVOKE ALL ON FUNCTION @extschema@.contains_support(internal) FROM PUBLIC;

CREATE FUNCTION @extschema@.contains(whole text, term text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE SUPPORT @extschema@.contains_support
AS 'MODULE_PATHNAME', 'relygate_contains';
COMMENT ON FUNCTION @extschema@.contains(text, text) IS
'Whether a text contains a term, character by character: for columns that hold fold_search(text), with fold_search(term). '
'Uses an index USING gin (tenant_id, column gin_trgm_ops) under row-level security too.';
REVOKE ALL ON FUNCTION @extschema@.contains(text, text) FROM PUBLIC;

CREATE OPERATOR @extschema@.~@ (
    FUNCTION = @extschema@.contains, LEFTARG = text, RIGHTARG = text, RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR @extschema@.~@ (text, text) IS 'contains';
