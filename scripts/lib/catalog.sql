-- What a database is beside its rows, one fact a line as [kind, fact], without OIDs: two databases with the same facts have the same
-- tables, policies, grants, functions, triggers, bindings and roles. Needs psql's variables database (whose settings and rights
-- are meant, a name) and roles (the roles that count, a JSON array), and an empty search_path, so that each name has its schema.
--
-- Left out: what an owner may do with his own, the owners of an extension's members (whoever created it) and the versions
-- of other extensions, since another major version of PostgreSQL has others.
WITH ours AS (
    SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
roles AS (
    SELECT r.* FROM pg_roles r WHERE to_jsonb(r.rolname) <@ (:'roles')::jsonb),
members AS (
    SELECT d.classid, d.objid, e.extname = 'relygate' AS is_product FROM pg_depend d
      JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid WHERE d.deptype = 'e'),
relations AS (
    SELECT c.* FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM ours) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)),
functions AS (
    SELECT p.*, m.objid IS NOT NULL AS is_member
      FROM pg_proc p LEFT JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
     WHERE p.pronamespace IN (SELECT oid FROM ours) AND m.is_product IS NOT false),
facts (kind, fact) AS (
    SELECT 'relations', format('%s %s owner %s row security %s %s options %s partition %s', c.oid::regclass, c.relkind, c.relowner::regrole,
           c.relrowsecurity, c.relforcerowsecurity, c.reloptions, pg_get_expr(c.relpartbound, c.oid))
      FROM relations c
    UNION ALL
    SELECT 'columns', format('%s.%s %s not null %s default %s collation %s statistics %s storage %s', c.oid::regclass, a.attname,
           format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), nullif(a.attcollation, 0)::regcollation,
           coalesce(a.attstattarget, -1), a.attstorage)
      FROM relations c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'views', format('%s %s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM relations c WHERE c.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'indexes', format('%s valid %s', pg_get_indexdef(i.indexrelid), i.indisvalid)
      FROM pg_index i WHERE i.indrelid IN (SELECT oid FROM relations)
    UNION ALL
    SELECT 'constraints', format('%s %s %s valid %s', coalesce(nullif(k.conrelid, 0)::regclass::text, k.contypid::regtype::text), k.conname,
           pg_get_constraintdef(k.oid), k.convalidated)
      FROM pg_constraint k WHERE k.connamespace IN (SELECT oid FROM ours)
    UNION ALL
    SELECT 'policies', format('%s %s permissive %s %s to %s using %s check %s', p.polrelid::regclass, p.polname, p.polpermissive, p.polcmd,
           (SELECT array_agg(CASE r.oid WHEN 0 THEN 'public' ELSE r.oid::regrole::text END ORDER BY r.oid::regrole::text) FROM unnest(p.polroles) r (oid)),
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p
    UNION ALL
    SELECT 'triggers', format('%s %s', pg_get_triggerdef(t.oid), t.tgenabled)
      FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgrelid IN (SELECT oid FROM relations)
    UNION ALL
    SELECT 'event triggers', format('%s %s %s %s %s', e.evtname, e.evtevent, e.evtenabled, e.evttags, e.evtfoid::regproc) FROM pg_event_trigger e
    UNION ALL
    SELECT 'functions', format('%s owner %s definer %s settings %s body %s', p.oid::regprocedure, CASE WHEN NOT p.is_member THEN p.proowner::regrole END,
           p.prosecdef, p.proconfig, md5(p.prosrc)) FROM functions p
    UNION ALL
    SELECT 'domains', format('%s is %s not null %s default %s owner %s', t.oid::regtype, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
           t.typowner::regrole)
      FROM pg_type t WHERE t.typtype = 'd' AND t.typnamespace IN (SELECT oid FROM ours)
       AND NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
    UNION ALL
    SELECT 'extensions', format('%s in %s %s', extname, extnamespace::regnamespace, CASE extname WHEN 'relygate' THEN extversion END) FROM pg_extension
    UNION ALL
    SELECT 'grants', format('%s: %s to %s%s', g.what, e.privilege_type, CASE e.grantee WHEN 0 THEN 'public' ELSE e.grantee::regrole::text END,
           CASE WHEN e.is_grantable THEN ' with grant option' END)
      FROM (SELECT c.oid::regclass::text, c.relowner, c.relacl FROM relations c
            UNION ALL SELECT format('%s.%s', c.oid::regclass, a.attname), c.relowner, a.attacl FROM relations c JOIN pg_attribute a ON a.attrelid = c.oid
            UNION ALL SELECT p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)) FROM functions p
            UNION ALL SELECT n.nspname, n.nspowner, n.nspacl FROM pg_namespace n WHERE n.oid IN (SELECT oid FROM ours)
            UNION ALL SELECT t.oid::regtype::text, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner)) FROM pg_type t
                       WHERE t.typtype = 'd' AND t.typnamespace IN (SELECT oid FROM ours)
            -- The system's own, where its rights are no more what initdb gave.
            UNION ALL SELECT p.oid::regprocedure::text, p.proowner, p.proacl FROM pg_proc p
                        LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid
                       WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proacl IS DISTINCT FROM i.initprivs
            UNION ALL SELECT c.oid::regclass::text, c.relowner, c.relacl FROM pg_class c
                        LEFT JOIN pg_init_privs i ON i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = 0
                       WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') AND c.relacl IS DISTINCT FROM i.initprivs
           ) g (what, owner, acl), aclexplode(g.acl) e WHERE e.grantee <> g.owner
    UNION ALL
    SELECT 'default grants', format('%s %s %s %s', d.defaclrole::regrole, nullif(d.defaclnamespace, 0)::regnamespace, d.defaclobjtype, d.defaclacl)
      FROM pg_default_acl d
    UNION ALL
    SELECT 'database', format('encoding %s collate %s ctype %s owner %s connections %s', pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
           d.datdba::regrole, d.datconnlimit) FROM pg_database d WHERE d.datname = :'database'
    UNION ALL
    SELECT 'database', format('%s to %s', e.privilege_type, CASE e.grantee WHEN 0 THEN 'public' ELSE e.grantee::regrole::text END)
      FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) e WHERE d.datname = :'database' AND e.grantee <> d.datdba
    UNION ALL
    SELECT CASE WHEN x.setting LIKE 'app.tenant\_id=%' THEN 'bindings' ELSE 'settings' END,
           format('%s: %s', CASE s.setrole WHEN 0 THEN 'the database' ELSE s.setrole::regrole::text END, x.setting)
      FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) x (setting) WHERE d.datname = :'database'
    UNION ALL
    SELECT 'roles', format('%s superuser %s inherit %s createrole %s createdb %s login %s replication %s bypassrls %s connections %s', r.rolname, r.rolsuper,
           r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit) FROM roles r
    UNION ALL
    SELECT 'role settings', format('%s: %s', r.rolname, x.setting)
      FROM pg_db_role_setting s JOIN roles r ON r.oid = s.setrole, unnest(s.setconfig) x (setting) WHERE s.setdatabase = 0
    UNION ALL
    SELECT 'memberships', format('%s in %s', m.member::regrole, m.roleid::regrole) FROM pg_auth_members m
     WHERE m.member IN (SELECT oid FROM roles) AND (m.roleid IN (SELECT oid FROM roles) OR m.roleid < 16384)
    UNION ALL
    SELECT 'parameter grants', format('%s: %s to %s', p.parname, e.privilege_type, e.grantee::regrole)
      FROM pg_parameter_acl p, aclexplode(p.paracl) e WHERE e.grantee IN (SELECT oid FROM roles))
SELECT DISTINCT jsonb_build_array(kind, fact)::text COLLATE "C" FROM facts ORDER BY 1
