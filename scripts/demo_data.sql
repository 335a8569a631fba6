-- The demo's tenants, people and visits; called once by scripts/demo.sql, in one transaction.
BEGIN;

-- Words -----------------------------------------------------------------------------------------------------------------

CREATE TEMP TABLE demo_name (country text, script text, first_names text[], last_names text[]);
INSERT INTO demo_name VALUES
    ('IN', 'latin', '{Asha,Ravi,Meera,Arjun,Lakshmi,Imran,Siobhan,Kavya,Joseph,Anne-Marie,Vikram,Fatima,Sunita,Harpreet,K. P. S.,Nandini}',
     '{Rao,Iyer,D''Souza,Khan,Menon,Singh,Das,Patel,O''Dwyer,Nair,Gowda,Fernandes,Sharma}'),
    ('IN', 'devanagari', '{राजेश,सुनीता,प्रिया,अमित}', '{कुमार,शर्मा,वर्मा}'),
    ('IN', 'tamil', '{முருகன்,கவிதா,செல்வி}', '{சுந்தரம்,ராஜா}'),
    ('IN', 'bengali', '{অনির্বাণ,শ্রেয়া,সুমন}', '{ঘোষ,সেন}'),
    ('IN', 'kannada', '{ಮಂಜುನಾಥ,ಸವಿತಾ}', '{ಗೌಡ,ಹೆಗ್ಡೆ}'),
    ('AE', 'latin', '{Omar,Layla,Maria,Jose,Chen,Olga,John,Aisha,Rashid,Grace,Pierre,Nadia,Yusuf,Emma,Hassan,Priya}',
     '{Al Hashimi,Santos,Reyes,Wei,Ivanova,Smith,Al-Mansoori,Okafor,Dupont,Haddad,Demir,Müller,Mathew}'),
    ('AE', 'arabic', '{محمد,فاطمة,علي,مريم}', '{الهاشمي,المنصوري,النعيمي}'),
    ('AE', 'cyrillic', '{Ольга,Иван,Анна}', '{Петрова,Смирнов}'),
    ('AE', 'han', '{小明,丽华,志强}', '{王,李}'),
    ('AE', 'malayalam', '{രമേശ്,സുമ}', '{നായർ,മേനോൻ}');

-- A number that looks random and is the same each time.
CREATE FUNCTION pg_temp.pick(seed text, size int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT (('x' || substr(md5(seed), 1, 7))::bit(28)::int % size);
$$;

CREATE FUNCTION pg_temp.person(country text, number int, OUT first_name text, OUT last_name text, OUT mobile text, OUT vehicle_no text)
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    seed CONSTANT text := country || number;
    script CONSTANT int := greatest(pg_temp.pick(seed || 'script', 14) - 9, 0);    -- two of three in Latin letters
    names demo_name;
BEGIN
    SELECT * INTO names FROM demo_name n WHERE n.country = person.country ORDER BY n.script = 'latin' DESC, n.script LIMIT 1 OFFSET script;
    first_name := names.first_names[1 + pg_temp.pick(seed || 'first', cardinality(names.first_names))];
    last_name := CASE WHEN pg_temp.pick(seed || 'one', 12) > 0 THEN names.last_names[1 + pg_temp.pick(seed || 'last', cardinality(names.last_names))] END;
    mobile := CASE country WHEN 'IN' THEN '98' ELSE '050' END || lpad((number * 7919 + 1234567)::text, CASE country WHEN 'IN' THEN 8 ELSE 7 END, '4');
    vehicle_no := CASE WHEN pg_temp.pick(seed || 'car', 4) > 0 THEN NULL
                       WHEN country = 'IN' THEN 'KA' || lpad((1 + number % 57)::text, 2, '0') || 'MH' || (1000 + pg_temp.pick(seed, 9000))
                       ELSE 'D' || (10000 + pg_temp.pick(seed, 80000)) END;
END $$;

-- Visits of the last four weeks: each comes in and leaves through the product's functions at once, then is moved to its day.
-- The last ones stay inside.
CREATE PROCEDURE pg_temp.load_visits(country text, people int, visits int, still_inside int, site uuid, gate_in uuid, gate_out uuid)
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    zone CONSTANT text := relygate.zone_of(site);
    guest record;
    made record;
    host record;
    number int;
    stays boolean;
    came timestamptz;
    purposes CONSTANT uuid[] := ARRAY(SELECT id FROM relygate.list_purposes('visit', page_limit => 50));
BEGIN
    FOR n IN 1..visits LOOP
        stays := n > visits - still_inside;
        -- Who is inside is somebody else each time; the others come back now and then.
        number := CASE WHEN stays THEN people + n - visits ELSE pg_temp.pick(country || n, people - still_inside) END;
        SELECT * INTO guest FROM pg_temp.person(country, number);
        SELECT h.id, h.location_id INTO host FROM relygate.list_hosts(page_limit => 1,
            page_offset => pg_temp.pick('host' || n, (SELECT count(*)::int FROM relygate.hosts h WHERE h.tenant_id = relygate.current_tenant()))) h;
        SELECT v.id INTO made FROM relygate.create_visit(visitor__first_name => guest.first_name, visitor__last_name => guest.last_name,
            visitor__mobile => guest.mobile, purpose_id => CASE WHEN n % 9 > 0 THEN purposes[1 + pg_temp.pick('purpose' || n, cardinality(purposes))] END,
            purpose => CASE WHEN n % 9 = 0 THEN 'Lost and found' END, group_size => 1 + pg_temp.pick('group' || n, 12) / 8, host_id => host.id,
            unit_id => host.location_id, site_id => site, gate_id => gate_in, vehicle_no => guest.vehicle_no) v;
        IF stays THEN
            came := now() - (visits - n) * interval '7 minutes';
        ELSE
            PERFORM relygate.check_out(made.id, gate_out, is_forced => n % 41 = 0);
            came := (relygate.today_at(site) - 1 - (visits - still_inside - n) * 27 / visits + time '08:00'
                     + pg_temp.pick('minute' || n, 540) * interval '1 minute') AT TIME ZONE zone;
        END IF;
        UPDATE relygate.visits v SET requested_at = came, checked_in_at = came, badge_day = (came AT TIME ZONE zone)::date,
               badge_no = 1000 + n,     -- a random one may be taken on the day it is moved to
               checked_out_at = CASE WHEN NOT stays THEN came + (10 + pg_temp.pick('stay' || n, 170)) * interval '1 minute' END
         WHERE v.tenant_id = relygate.current_tenant() AND v.id = made.id;
    END LOOP;
END $$;

CREATE PROCEDURE pg_temp.load_visitors(country text, beginning int, count int) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    guest record;
BEGIN
    FOR n IN 1..count LOOP
        SELECT * INTO guest FROM pg_temp.person(country, beginning + n);
        PERFORM relygate.create_visitor(guest.first_name, guest.last_name, guest.mobile, vehicle_no => guest.vehicle_no,
            email => CASE WHEN n % 3 = 0 THEN format('visitor.%s@example.org', n) END,
            document_type => CASE WHEN n % 4 = 0 THEN 'passport' END,
            document_no => CASE WHEN n % 4 = 0 THEN 'K' || (1000000 + pg_temp.pick(country || n || 'passport', 8999999)) END);
    END LOOP;
END $$;

CREATE PROCEDURE pg_temp.load_users(admin_password text, other_password text) LANGUAGE plpgsql AS $$
BEGIN
    -- Nobody yet: a guard of the first tenant may not make the second one's administrator.
    PERFORM set_config('app.user_id', '', true);
    PERFORM relygate.create_user('admin', admin_password, 'tenant_admin', first_name => 'Admin');
    PERFORM relygate.create_user(role.name, other_password, role.kind, first_name => initcap(role.name))
       FROM (VALUES ('guard', 'security_guard'), ('receptionist', 'receptionist'), ('host', 'host'), ('auditor', 'auditor')) AS role (name, kind);
    PERFORM set_config('app.user_id', u.id::text, true), set_config('app.user_role', 'security_guard', true), set_config('app.request_id', 'demo', true)
       FROM relygate.users u WHERE u.tenant_id = relygate.current_tenant() AND u.user_name = 'guard';
END $$;

-- A school in India: one site, one way in, so that a request may leave both out -------------------------------------------

SELECT id AS green FROM relygate.create_tenant('GREENWOOD', 'Greenwood International School', 'school', 'Asia/Kolkata', 'IN') \gset
CALL pg_temp.load_users(:'admin_password', :'guard_password');
SELECT id AS site FROM relygate.list_sites() \gset
SELECT id AS gate_in FROM relygate.create_gate('Main gate', :'site', 'in') \gset
SELECT id AS gate_out FROM relygate.create_gate('Main gate, way out', :'site', 'out') \gset
SELECT id AS main FROM relygate.create_location('building', 'Main building', :'site') \gset
SELECT id AS hostel FROM relygate.create_location('building', 'Hostel', :'site') \gset
SELECT id AS ground FROM relygate.create_location('floor', 'Ground floor', :'site', :'main') \gset
SELECT id AS office FROM relygate.create_location('unit', 'Principal''s office', :'site', :'ground') \gset
SELECT id AS admissions FROM relygate.create_location('unit', 'Admissions', :'site', :'ground') \gset
SELECT id AS warden FROM relygate.create_location('unit', 'Warden', :'site', :'hostel') \gset
SELECT count(h.id) FROM (VALUES ('Lakshmi', 'Iyer', 'office'), ('Thomas', 'Kurian', 'admissions'), ('Sunita', 'Rao', 'warden'), ('Arun', 'Gowda', 'admissions'),
    ('Farah', 'Khan', 'office'), ('Neha', 'Patel', 'warden')) AS w (first_name, last_name, unit)
  CROSS JOIN LATERAL relygate.create_host('employee', w.first_name, w.last_name,
      location_id => CASE w.unit WHEN 'office' THEN :'office'::uuid WHEN 'admissions' THEN :'admissions'::uuid ELSE :'warden'::uuid END,
      user_id => CASE WHEN w.first_name = 'Lakshmi' THEN (SELECT u.id FROM relygate.users u WHERE u.tenant_id = relygate.current_tenant() AND u.user_name = 'host') END) h
\g /dev/null
CALL pg_temp.load_visitors('IN', 1000, 40);
CALL pg_temp.load_visits('IN', 150, 240, 12, :'site', :'gate_in', :'gate_out');

-- Flats in the Emirates: two sites, one with a capacity, one that asks the host -------------------------------------------

SELECT id AS blue FROM relygate.create_tenant('MARINA', 'Marina Heights', 'residential', 'Asia/Dubai', 'AE') \gset
CALL pg_temp.load_users(:'second_admin_password', :'second_admin_password');
SELECT id AS site FROM relygate.list_sites() \gset
SELECT relygate.update_site(:'site', capacity => 400) \g /dev/null
SELECT id AS villas FROM relygate.create_site('Marina Villas', ask_host => true) \gset
SELECT id AS gate_in FROM relygate.create_gate('Lobby', :'site') \gset
SELECT id AS gate_out FROM relygate.create_gate('Car park', :'site') \gset
SELECT id AS villa_gate FROM relygate.create_gate('Villa gate', :'villas') \gset
SELECT id AS tower FROM relygate.create_location('building', 'Tower 1', :'site') \gset
SELECT count(h.id) FROM generate_series(1, 12) AS n
  CROSS JOIN LATERAL pg_temp.person('AE', 900 + n) p
  CROSS JOIN LATERAL relygate.create_location('unit', format('%s%s', 10 + n, lpad((n % 4 + 1)::text, 2, '0')), :'site', :'tower') l
  CROSS JOIN LATERAL relygate.create_host('resident', p.first_name, p.last_name, p.mobile, location_id => l.id,
      user_id => CASE WHEN n = 1 THEN (SELECT u.id FROM relygate.users u WHERE u.tenant_id = relygate.current_tenant() AND u.user_name = 'host') END) h
\g /dev/null
CALL pg_temp.load_visitors('AE', 1000, 30);
CALL pg_temp.load_visits('AE', 110, 160, 9, :'site', :'gate_in', :'gate_out');
-- At the villas somebody waits, somebody was turned away.
SELECT v.id AS waiting FROM pg_temp.person('AE', 801) p
  CROSS JOIN LATERAL relygate.create_visit(visitor__first_name => p.first_name, visitor__mobile => p.mobile, purpose => 'Dinner', site_id => :'villas') v \gset
SELECT v.id AS unwanted FROM pg_temp.person('AE', 802) p
  CROSS JOIN LATERAL relygate.create_visit(visitor__first_name => p.first_name, visitor__mobile => p.mobile, purpose => 'Sales', site_id => :'villas') v \gset
SELECT relygate.refuse_visit(:'unwanted', 'Nobody expects a visit') \g /dev/null

SELECT relygate.bind_role('report_green', :'green'), relygate.bind_role('report_blue', :'blue') \g /dev/null
COMMIT;
