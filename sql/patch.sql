-- What a PATCH function makes of a column. `given` tells whether a member was there; a DBA, who gives none, changes what is not null.
CREATE FUNCTION @extschema@.patched(given text[], name text, new_value anycompatible, old_value anycompatible) RETURNS anycompatible
LANGUAGE sql IMMUTABLE PARALLEL SAFE SECURITY INVOKER AS $$
    SELECT CASE WHEN name = ANY (given) THEN new_value ELSE coalesce(new_value, old_value) END
$$;
COMMENT ON FUNCTION @extschema@.patched(text[], text, anycompatible, anycompatible) IS
'The new value of a column in a PATCH: the one that was given, null too; without it what is not null, else the old one. Inlined. Callers: the update functions.';
REVOKE ALL ON FUNCTION @extschema@.patched(text[], text, anycompatible, anycompatible) FROM PUBLIC;
