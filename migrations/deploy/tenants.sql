-- Deploy relygate:tenants to pg
-- requires: domains audit_log
--
-- Organisations. The one table whose tenant is its own id, and the one row-level exception: relygate_platform finds a tenant by
-- its code before there is a context (login). The code is unique among all tenants, so only relygate_platform inserts.

BEGIN;

CREATE TABLE relygate.tenants (
    id                 uuid                  NOT NULL DEFAULT relygate.uuid_v7() PRIMARY KEY,
    code               relygate.code         NOT NULL CONSTRAINT tenants_code UNIQUE,
    name               relygate.label        NOT NULL,
    kind               relygate.tenant_kind  NOT NULL,
    time_zone          relygate.time_zone    NOT NULL,
    country            relygate.country      NOT NULL,
    state              relygate.tenant_state NOT NULL DEFAULT 'active',
    subscription_from  date,
    subscription_until date,
    is_operator        boolean               NOT NULL DEFAULT false,
    created_at         timestamptz           NOT NULL DEFAULT now(),
    updated_at         timestamptz           NOT NULL DEFAULT now(),
    created_by         uuid,
    updated_by         uuid,
    CONSTRAINT tenants_subscription CHECK (subscription_until >= subscription_from)
);
COMMENT ON TABLE relygate.tenants IS 'Organisations that work with the product, each for itself.';
COMMENT ON COLUMN relygate.tenants.country IS 'Decides the rules for phone and vehicle numbers.';
COMMENT ON COLUMN relygate.tenants.state IS 'suspended: reads and the check-out of people inside still work, other writes do not.';
COMMENT ON COLUMN relygate.tenants.is_operator IS 'The tenant of those who run the installation: only there platform permissions exist.';

ALTER TABLE relygate.tenants OWNER TO relygate_owner;
-- Only to read: who could write is_operator or state would lift itself above its own suspension.
GRANT SELECT ON relygate.tenants TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.tenants
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.tenants FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.tenants FOR EACH ROW EXECUTE FUNCTION relygate.audit_row('id');

SELECT relygate.protect_table('relygate.tenants', 'id');

COMMIT;
