-- Verify relygate:visits on pg

BEGIN;

SELECT tenant_id, id, site_id, visitor_id, state, requested_at, checked_in_at, checked_out_at, checked_in_by,
       checked_out_by, purpose_id, purpose, host_id, unit_id, group_size, gate_in_id, gate_out_id, vehicle_no,
       badge_no, badge_day, remark, is_forced, is_automatic, created_at, updated_at, created_by, updated_by
  FROM relygate.visits WHERE false;
DO $$ BEGIN
    ASSERT (SELECT relrowsecurity AND relforcerowsecurity AND relowner = 'relygate_owner'::regrole FROM pg_class
             WHERE oid = 'relygate.visits'::regclass), 'unprotected table, or not relygate_owner''s';
    ASSERT (SELECT count(*) = 2 FROM pg_policy WHERE polrelid = 'relygate.visits'::regclass), 'a policy is missing';
    ASSERT ARRAY(SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE i.indrelid = 'relygate.visits'::regclass AND i.indisvalid)
           @> ARRAY['visits_open', 'visits_badge_once', 'visits_inside', 'visits_list', 'visits_state',
              'visits_site', 'visits_visitor', 'visits_host', 'visits_unit', 'visits_purpose', 'visits_gate_in',
              'visits_gate_out', 'visits_vehicle', 'visits_check_ins', 'visits_check_outs'], 'an index is missing';
    ASSERT ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = 'relygate.visits'::regclass)
           @> ARRAY['visits_badge_no', 'visits_checked_in', 'visits_checked_out', 'visits_order',
              'visits_one_purpose', 'visits_badge'], 'a constraint is missing';
    ASSERT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'relygate.visits'::regclass AND tgenabled <> 'D')
           @> ARRAY['normalize', 'state', 'touch', 'audit'], 'a trigger is missing';
    ASSERT has_table_privilege('relygate_api', 'relygate.visits', 'SELECT') AND has_table_privilege('relygate_api', 'relygate.visits', 'UPDATE'),
        'relygate_api cannot use it';
END $$;

ROLLBACK;
