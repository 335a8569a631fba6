"""SQL that goes through all protected tables (t, its tenant column c)."""

EACH_TABLE = ("DO $$ DECLARE t regclass; c name; BEGIN FOR t, c IN SELECT tgrelid, replace(encode(tgargs, 'escape'), '\\000', '') "
              "FROM pg_trigger WHERE tgname = 'relygate_no_truncate' LOOP {} END LOOP; END $$")
