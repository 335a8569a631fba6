-- Verify relygate:domains on pg

BEGIN;

DO $$
DECLARE
    name text;
BEGIN
    -- Each is there and still has its CHECK, which DROP EXTENSION ... CASCADE would have taken.
    FOREACH name IN ARRAY ARRAY['code', 'user_name', 'person_name', 'mobile', 'email_address', 'vehicle_number',
            'label', 'remark', 'time_zone', 'country', 'document_type', 'group_size',
            'tenant_kind', 'tenant_state', 'location_kind', 'gate_direction', 'host_kind', 'purpose_kind',
            'visitor_type', 'visit_state'] LOOP
        ASSERT EXISTS (SELECT FROM pg_constraint WHERE contypid = format('relygate.%I', name)::regtype), 'no CHECK: ' || name;
    END LOOP;
END $$;

ROLLBACK;
