"""SQL that goes through all protected tables (t, its tenant column c), or all reporting views (v)."""

EACH_TABLE = ("DO $$ DECLARE t regclass; c name; BEGIN FOR t, c IN SELECT tgrelid, replace(encode(tgargs, 'escape'), '\\000', '') "
              "FROM pg_trigger WHERE tgname = 'relygate_no_truncate' LOOP {} END LOOP; END $$")
EACH_VIEW = ("DO $$ DECLARE v regclass; BEGIN FOR v IN SELECT oid FROM pg_class WHERE relkind = 'v' "
             "AND relnamespace = 'relygate_report'::regnamespace LOOP {} END LOOP; END $$")
