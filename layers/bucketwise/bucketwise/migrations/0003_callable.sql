-- What the ask function may call, without a right on any table. Each runs with its owner's rights, on a
-- fixed search path: public is there for the operators of the extension "vector".

CREATE FUNCTION bucketwise.index_kind(OUT embedding_model text, OUT dimensions int, OUT schema_number int)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
BEGIN ATOMIC
    SELECT s.embedding_model, s.dimensions, (SELECT max(number) FROM bucketwise.schema_migrations)
    FROM bucketwise.index_settings s;
END;

-- A page of one tenant's documents in the order of their keys, after `after_key`, or the one with `only_key`.
CREATE FUNCTION bucketwise.documents_page(
    for_tenant text, only_key text, key_prefix text, in_state text, after_key text, most int)
RETURNS SETOF bucketwise.documents
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM bucketwise.documents d
    WHERE d.tenant = for_tenant
      AND (only_key IS NULL OR d.key = only_key)
      AND starts_with(d.key, key_prefix)
      AND (in_state IS NULL OR d.state = in_state)
      AND d.key > after_key
    ORDER BY d.key LIMIT most;
END
$$;

ALTER FUNCTION bucketwise.corpus_version SECURITY DEFINER SET search_path = pg_catalog, bucketwise, public, pg_temp;
ALTER FUNCTION bucketwise.search SECURITY DEFINER SET search_path = pg_catalog, bucketwise, public, pg_temp;
ALTER FUNCTION bucketwise.nearest SET search_path = pg_catalog, bucketwise, public, pg_temp;
