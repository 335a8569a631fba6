-- What PostGraphile shows: it would give the table relygate.visits and the type relygate.visit one name, so it gets a schema of its
-- own with two functions that pass on to the product's.
CREATE SCHEMA bench_graph;
GRANT USAGE ON SCHEMA bench_graph TO relygate_api;
CREATE FUNCTION bench_graph.read_visit(id uuid) RETURNS SETOF relygate.visit LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT * FROM relygate.get_visit(read_visit.id);
END $$;
CREATE FUNCTION bench_graph.check_in(site uuid, first_name text, last_name text, mobile text, purpose uuid) RETURNS SETOF relygate.visit
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY SELECT * FROM relygate.create_visit(site_id => site, visitor__first_name => first_name, visitor__last_name => last_name,
                                                     visitor__mobile => mobile, purpose_id => purpose);
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bench_graph TO relygate_api;
