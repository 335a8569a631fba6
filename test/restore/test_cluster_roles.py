"""Which statements of pg_dumpall's script are run in a cluster that has roles already (scripts/lib/cluster_roles.py)."""
import sys

import pytest

from conftest import ROOT

sys.path.append(str(ROOT / "scripts/lib"))
import cluster_roles  # noqa: E402

SCRIPT = r'''--
-- PostgreSQL database cluster dump
--

\restrict abc

SET client_encoding = 'UTF8';

CREATE ROLE relygate_api;
ALTER ROLE relygate_api WITH NOSUPERUSER;
COMMENT ON ROLE relygate_api IS 'It''s; CREATE ROLE evil;
-- no comment';
CREATE ROLE "Night; ""shift""";
ALTER ROLE "Night; ""shift""" WITH LOGIN PASSWORD 'SCRAM-SHA-256$4096:a==$b:c=';
ALTER ROLE "Night; ""shift""" SET search_path TO 'a', 'b';
CREATE ROLE dropped_since;
ALTER ROLE dropped_since WITH SUPERUSER LOGIN;
GRANT relygate_api TO "Night; ""shift""" GRANTED BY postgres;
GRANT relygate_api TO dropped_since GRANTED BY postgres;
GRANT SET ON PARAMETER "app.tenant_id" TO relygate_api;
GRANT SET ON PARAMETER "app.tenant_id" TO dropped_since;
'''
NIGHT = 'Night; "shift"'


def test_a_literal_is_no_statement():
    assert len(cluster_roles.statements(SCRIPT)) == 13


@pytest.mark.parametrize("create, wanted, unwanted", [
    ({NIGHT}, ["CREATE ROLE \"Night", "ALTER ROLE \"Night", "GRANT relygate_api TO \"Night", "TO relygate_api"],
     ["dropped_since", "ROLE relygate_api", "GRANTED BY"]),
    ({NIGHT, "relygate_api"}, ["CREATE ROLE relygate_api", "COMMENT ON ROLE relygate_api"], ["dropped_since"]),
    ({NIGHT, "relygate_api", "dropped_since"}, ["ALTER ROLE dropped_since WITH SUPERUSER", "GRANT relygate_api TO dropped_since"], [])])
def test_roles_that_exist_stay_and_others_stay_away(create, wanted, unwanted):
    """Nobody who was dropped since the backup comes back by the way, least of all as a superuser."""
    text = ";\n".join(cluster_roles.chosen(SCRIPT, create, {NIGHT, "relygate_api"}))
    assert all(part in text for part in ["SET client_encoding", *wanted])
    assert not any(part in text for part in unwanted), text
