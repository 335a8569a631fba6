-- What all lists share: the order of a page, where it goes on, and the key of a row. A list selects, beside the id, the column
-- that its sort names, a text as `word` or a time as `moment`:
--     CASE ltrim(sort, '-') WHEN 'name' THEN v.search_name END AS word, CASE ltrim(sort, '-') WHEN 'createdAt' THEN v.created_at END AS moment
-- and orders by CASE WHEN sort LIKE '-%' THEN word END DESC, ... the same of moment and id, then word, moment, id. Lists are planned for
-- their arguments (plan_cache_mode = force_custom_plan): each CASE folds to the column or to nothing, so one index (tenant_id, column, id)
-- serves the order, both ways. comes_after() has no SET, so that it is inlined and becomes the index's condition; its body is a text, which
-- takes search_path and collation from the list that calls (a RETURN would compare in the database's collation and miss the index).
-- Each list writes this out. One function for all lists would have to take their filters as text: neither plpgsql_check nor a reader would see
-- what is asked, and nothing would be left that a type could refuse.

CREATE FUNCTION @extschema@.comes_after(sort text, word text, moment timestamptz, id uuid, after text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY INVOKER AS $$
    SELECT CASE
        WHEN sort LIKE '-%At' THEN (moment, id) < (CASE after[1] WHEN '' THEN 'infinity' ELSE after[1]::timestamptz END, after[2]::uuid)
        WHEN sort LIKE '%At' THEN (moment, id) > (CASE after[1] WHEN '' THEN 'infinity' ELSE after[1]::timestamptz END, after[2]::uuid)
        WHEN sort LIKE '-%' THEN (word, id) < (after[1], after[2]::uuid)
        ELSE (word, id) > (after[1], after[2]::uuid) END
$$;
COMMENT ON FUNCTION @extschema@.comes_after(text, text, timestamptz, uuid, text[]) IS
'Whether a row stands behind the one with the key `after`. Sorts by time end in "At"; no time comes as infinity and '
'is the latest of all. Callers: the lists.';
REVOKE ALL ON FUNCTION @extschema@.comes_after(text, text, timestamptz, uuid, text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@.sort_key(word text, moment timestamptz) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'relygate_sort_key';
COMMENT ON FUNCTION @extschema@.sort_key(text, timestamptz) IS
'What a row is sorted by, as a cursor carries it: RFC 3339 for a time, nothing for infinity. Callers: the lists.';
REVOKE ALL ON FUNCTION @extschema@.sort_key(text, timestamptz) FROM PUBLIC;
