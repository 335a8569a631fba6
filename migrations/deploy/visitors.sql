-- Deploy relygate:visitors to pg
-- requires: visitor_categories locations search_extensions
--
-- Persons known to a tenant. A mobile is unique among active registered visitors alone: families share phones. An unregistered
-- one is the same person as another with this mobile and this name, so two taps at a gate are one person. Of an identity document
-- a masked number and a keyed hash are kept.

BEGIN;

CREATE TABLE relygate.visitors (
    tenant_id       uuid                  NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id              uuid                  NOT NULL DEFAULT relygate.uuid_v7(),
    visitor_type    relygate.visitor_type NOT NULL DEFAULT 'unregistered',
    first_name      relygate.person_name  NOT NULL,
    last_name       relygate.person_name,
    mobile          relygate.mobile,
    email           relygate.email_address,
    category_id     uuid,
    document_type   relygate.document_type,
    document_masked text                  COLLATE "C",
    document_hash   bytea                 CONSTRAINT visitors_document_hash CHECK (octet_length(document_hash) = 32),
    vehicle_no      relygate.vehicle_number,
    unit_id         uuid,
    registration_no text                  COLLATE "C" CONSTRAINT visitors_registration_no CHECK (length(registration_no) BETWEEN 1 AND 50),
    security_code   text                  COLLATE "C" CONSTRAINT visitors_security_code CHECK (security_code ~ '^[0-9]{6}$'),
    valid_from      date,
    valid_until     date,
    search_name     text                  COLLATE "C" NOT NULL,
    is_active       boolean               NOT NULL DEFAULT true,
    created_at      timestamptz           NOT NULL DEFAULT now(),
    updated_at      timestamptz           NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_by      uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, category_id) REFERENCES relygate.visitor_categories (tenant_id, id),
    FOREIGN KEY (tenant_id, unit_id) REFERENCES relygate.locations (tenant_id, id),
    CONSTRAINT visitors_validity CHECK (valid_until >= valid_from),
    CONSTRAINT visitors_document CHECK (num_nonnulls(document_type, document_masked, document_hash) IN (0, 3)),
    CONSTRAINT visitors_registered CHECK (visitor_type <> 'registered' OR registration_no IS NOT NULL)
);
CREATE UNIQUE INDEX visitors_registered_mobile ON relygate.visitors (tenant_id, mobile) WHERE visitor_type = 'registered' AND is_active;
CREATE UNIQUE INDEX visitors_unregistered_person ON relygate.visitors (tenant_id, mobile, search_name)
    WHERE visitor_type = 'unregistered' AND is_active;
CREATE UNIQUE INDEX visitors_registration ON relygate.visitors (tenant_id, registration_no);
CREATE INDEX visitors_mobile ON relygate.visitors (tenant_id, mobile) WHERE mobile IS NOT NULL;
CREATE INDEX visitors_vehicle ON relygate.visitors (tenant_id, vehicle_no) WHERE vehicle_no IS NOT NULL;
CREATE INDEX visitors_document_key ON relygate.visitors (tenant_id, document_hash) WHERE document_hash IS NOT NULL;
CREATE INDEX visitors_code ON relygate.visitors (tenant_id, security_code) WHERE security_code IS NOT NULL AND is_active;
CREATE INDEX visitors_category ON relygate.visitors (tenant_id, category_id) WHERE category_id IS NOT NULL;
CREATE INDEX visitors_unit ON relygate.visitors (tenant_id, unit_id) WHERE unit_id IS NOT NULL;
CREATE INDEX visitors_search ON relygate.visitors USING gin (tenant_id, search_name public.gin_trgm_ops);
COMMENT ON TABLE relygate.visitors IS 'Persons known to a tenant.';
COMMENT ON COLUMN relygate.visitors.document_masked IS 'All of the number that anybody may see.';
COMMENT ON COLUMN relygate.visitors.document_hash IS 'HMAC of type and number, to find the same document again.';
COMMENT ON COLUMN relygate.visitors.unit_id IS 'The unit the visitor belongs to, as domestic help does.';
COMMENT ON COLUMN relygate.visitors.valid_from IS 'The first day, of the site, on which the visitor may come in; null: no bound.';
COMMENT ON COLUMN relygate.visitors.valid_until IS 'The last such day; null: no bound.';
COMMENT ON COLUMN relygate.visitors.search_name IS 'The whole name, folded for search; written by the trigger.';

-- What planner estimates tell of a personal column, they tell every tenant.
ALTER TABLE relygate.visitors
    ALTER COLUMN first_name SET STATISTICS 0, ALTER COLUMN last_name SET STATISTICS 0, ALTER COLUMN mobile SET STATISTICS 0,
    ALTER COLUMN email SET STATISTICS 0, ALTER COLUMN document_masked SET STATISTICS 0, ALTER COLUMN document_hash SET STATISTICS 0,
    ALTER COLUMN vehicle_no SET STATISTICS 0, ALTER COLUMN registration_no SET STATISTICS 0,
    ALTER COLUMN security_code SET STATISTICS 0, ALTER COLUMN search_name SET STATISTICS 0;

ALTER TABLE relygate.visitors OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.visitors TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.visitors
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('first_name=person_name', 'last_name=person_name', 'mobile=mobile',
        'email=email', 'vehicle_no=vehicle_number', 'search_name=fold:first_name,last_name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.visitors FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.visitors FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.visitors');

COMMIT;
