"""relygate.prove_isolation(): what it finds, and that it leaves nothing behind."""
from mutation.defence import Defence, Function

PROVE = "relygate.prove_isolation()"
ATTACKS = "relygate.isolation_attacks(uuid, uuid, uuid, regclass[])"

DEFENCES = [
    Defence("proof-verdict", "proof", "what was got is compared with what is right",
            Function(PROVE, "got = ANY (item.expected), said)", "true, said)"), Function(PROVE, "item.target), said IS NULL, said)", "item.target), true, said)"),
            Function(PROVE, "SQLSTATE = '42501',", "true,"), Function(PROVE, "coalesce(seen = ARRAY[1, 1, 1]::bigint[], false) END, said)", "true END, said)"),
            Function(PROVE, "item.login), item.obstacle IS NULL, item.obstacle)", "item.login), true, item.obstacle)")),
    Defence("proof-control", "proof", "the own row must be seen", Function(PROVE, "IF n = 0 THEN", "IF false THEN")),
    Defence("proof-honest", "proof", "a table that takes no row is not said to hold", Function(
        PROVE, "WHEN OTHERS THEN\n                proofs := proofs || ROW('rows', format('rows of scratch tenants in %s', item.target), NULL,",
        "WHEN OTHERS THEN\n                proofs := proofs || ROW('rows', format('rows of scratch tenants in %s', item.target), true,")),
    Defence("proof-rolled-back", "proof", "everything is rolled back",
            Function(PROVE, "        RAISE EXCEPTION USING ERRCODE = 'RG000';\n    EXCEPTION WHEN SQLSTATE", "    EXCEPTION WHEN SQLSTATE")),
    Defence("proof-spares-sequences", "proof", "no default that counts is called",
            Function("relygate.scratch_row(regclass, name, uuid, uuid)", "OR pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%'", "")),
    Defence("proof-without-locks", "proof", "no lock is taken that anybody waits for", Function(PROVE, "    BEGIN   -- all of this is rolled back\n",
            "    BEGIN\n        LOCK TABLE relygate.purposes IN ACCESS EXCLUSIVE MODE;\n")),
    Defence("proof-runs-nothing-foreign", "proof", "tables that run what others may change are not touched",
            Function(PROVE, "FROM relygate.untried_relations() u ORDER BY", "FROM relygate.untried_relations() u WHERE false ORDER BY")),
    Defence("proof-runs-no-foreign-event-trigger", "proof", "no object is made where an event trigger is not a superuser's",
            Function(PROVE, "IF EXISTS (SELECT FROM pg_event_trigger e", "IF false AND EXISTS (SELECT FROM pg_event_trigger e")),
    Defence("proof-reads-views-without-casts", "proof", "rows of views are compared without casts",
            Function(ATTACKS, "format(''%%s'', v) ~ %L', c.oid::regclass, ids_of_south", "v::text ~ %L', c.oid::regclass, ids_of_south"),
            Function(ATTACKS, "format(''%%s'', v) ~ %L', c.oid::regclass, ids_of_north", "v::text ~ %L', c.oid::regclass, ids_of_north")),
    Defence("proof-superuser", "proof", "only a superuser may", Function(PROVE, "IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN", "IF false THEN")),
    Defence("proof-on-primary", "proof", "a read-only transaction is refused", Function(PROVE, "ELSIF current_setting('transaction_read_only')::boolean THEN", "ELSIF false THEN")),
]
