-- Deploy relygate:visitor_categories to pg
-- requires: tenants

BEGIN;

CREATE TABLE relygate.visitor_categories (
    tenant_id   uuid           NOT NULL DEFAULT relygate.current_tenant() REFERENCES relygate.tenants (id),
    id          uuid           NOT NULL DEFAULT relygate.uuid_v7(),
    name        relygate.label NOT NULL,
    name_key    text           COLLATE "C" NOT NULL,
    asks_mobile boolean        NOT NULL DEFAULT true,
    position    int            NOT NULL DEFAULT 0,
    is_default  boolean        NOT NULL DEFAULT false,
    is_active   boolean        NOT NULL DEFAULT true,
    created_at  timestamptz    NOT NULL DEFAULT now(),
    updated_at  timestamptz    NOT NULL DEFAULT now(),
    created_by  uuid,
    updated_by  uuid,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX visitor_categories_name ON relygate.visitor_categories (tenant_id, name_key) WHERE is_active;
CREATE UNIQUE INDEX visitor_categories_default ON relygate.visitor_categories (tenant_id) WHERE is_default AND is_active;
COMMENT ON TABLE relygate.visitor_categories IS 'A tenant''s own list of kinds of visitors.';
COMMENT ON COLUMN relygate.visitor_categories.name_key IS 'The name, folded, for the unique index; written by the trigger.';
COMMENT ON COLUMN relygate.visitor_categories.asks_mobile IS 'Visitors of this category must give a mobile.';
COMMENT ON COLUMN relygate.visitor_categories.is_default IS 'The category of visitors for whom none is named; at most one.';

ALTER TABLE relygate.visitor_categories OWNER TO relygate_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON relygate.visitor_categories TO relygate_api;

CREATE TRIGGER normalize BEFORE INSERT OR UPDATE ON relygate.visitor_categories
    FOR EACH ROW EXECUTE FUNCTION relygate.normalize_columns('name=label', 'name_key=fold:name');
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON relygate.visitor_categories FOR EACH ROW EXECUTE FUNCTION relygate.touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON relygate.visitor_categories FOR EACH ROW EXECUTE FUNCTION relygate.audit_row();

SELECT relygate.protect_table('relygate.visitor_categories');

COMMIT;
