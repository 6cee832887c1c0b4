-- The vector index by kind:
--   halfvec  HNSW over the vectors themselves
--   binary   HNSW over one bit for each dimension, its sign: several times quicker to maintain and eight
--            times smaller. Search compares the best that it finds by their whole vectors.
-- The setting bucketwise.vector_index (auto, halfvec, binary) is set by the caller for this transaction.

-- auto: vectors of few dimensions lose too much by being cut to their signs.
CREATE FUNCTION bucketwise.vector_index_for(wanted text, dimensions int) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN wanted <> 'auto' THEN wanted WHEN dimensions >= 1024 THEN 'binary' ELSE 'halfvec' END;

CREATE FUNCTION bucketwise.make_vector_index(table_name text, dimensions int, vector_index text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $$
BEGIN
    EXECUTE format(
        'CREATE INDEX %I ON bucketwise.%I USING hnsw (%s)', table_name || '_hnsw', table_name,
        CASE bucketwise.vector_index_for(vector_index, dimensions)
            WHEN 'halfvec' THEN 'embedding halfvec_cosine_ops'
            WHEN 'binary' THEN format('(binary_quantize(embedding)::bit(%s)) bit_hamming_ops', dimensions)
        END);
END
$$;

-- A table like bucketwise.embeddings for vectors of so many dimensions, with the rights that are given on that one.
-- toast_tuple_target: a vector that is looked at is looked at whole, so out of line it would only cost a second look.
CREATE FUNCTION bucketwise.make_embeddings(table_name text, dimensions int, vector_index text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $$
DECLARE
    given record;
BEGIN
    EXECUTE format(
        'CREATE TABLE bucketwise.%I (
            tenant      text NOT NULL,
            text_sha256 bytea NOT NULL,
            embedding   halfvec(%s) NOT NULL,
            created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (tenant, text_sha256)
        ) WITH (toast_tuple_target = 8160)', table_name, dimensions);
    PERFORM bucketwise.make_vector_index(table_name, dimensions, vector_index);
    FOR given IN
        SELECT a.privilege_type, a.grantee::regrole AS role
        FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
        WHERE c.oid = 'bucketwise.embeddings'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON bucketwise.%I TO %s', given.privilege_type, table_name, given.role);
    END LOOP;
END
$$;

-- Makes bucketwise.nearest for vectors of so many dimensions and an index of this kind: an index over an expression
-- is used only by a query that has the same expression, with the dimensions in it.
CREATE FUNCTION bucketwise.make_nearest(dimensions int, vector_index text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $make$
DECLARE
    by_signs boolean := bucketwise.vector_index_for(vector_index, dimensions) = 'binary';
BEGIN
    -- hnsw.* settings are known, and may be set by a role that is no superuser, only once the library is loaded.
    PERFORM '[1]'::vector;
    EXECUTE format($template$
-- The passages nearest to a vector: `depth` of them, if there are as many. Up to `exact_below` candidates are
-- compared one by one. So are more of them, should HNSW find too few, as it may behind a filter that leaves few of
-- those around the question. plan_cache_mode: a generic plan made for a large tenant starves a small one.
-- enable_sort, enable_material, join_collapse_limit: HNSW is asked first, and what it finds is looked up in the order
-- that is written, also while the planner has no statistics of what has just come in. jit: a sort that is disabled,
-- but cannot be avoided, would look so expensive that it is worth being compiled.
CREATE OR REPLACE FUNCTION bucketwise.nearest(
    for_tenant text, question_embedding halfvec, filters jsonb, depth int, exact_below int)
RETURNS TABLE (key text, ordinal int, cosine double precision)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_sort = off
SET enable_material = off
SET join_collapse_limit = 1
SET jit = off
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = %1$s
AS $$
#variable_conflict use_column
DECLARE
    candidates int;
BEGIN
    IF question_embedding IS NULL THEN
        RETURN;
    END IF;
    SELECT count(*) INTO candidates FROM (
        SELECT 1 FROM bucketwise.chunks c JOIN bucketwise.documents d USING (tenant, key)
        WHERE c.tenant = for_tenant AND bucketwise.document_matches(d, filters)
        LIMIT exact_below + 1) AS counted;
    IF candidates > exact_below THEN
        RETURN QUERY
        WITH found AS MATERIALIZED (
            SELECT c.key, c.ordinal, 1 - (e.embedding <=> question_embedding) AS cosine
            FROM bucketwise.embeddings e
            JOIN bucketwise.chunks c USING (tenant, text_sha256)
            JOIN bucketwise.documents d USING (tenant, key)
            WHERE e.tenant = for_tenant AND bucketwise.document_matches(d, filters)
            ORDER BY %2$s LIMIT %3$s)
        SELECT * FROM found WHERE (SELECT count(*) FROM found) >= depth
        ORDER BY cosine DESC, key, ordinal LIMIT depth;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY
    WITH candidate AS MATERIALIZED (
        SELECT c.key, c.ordinal, 1 - (e.embedding <=> question_embedding) AS cosine
        FROM bucketwise.chunks c
        JOIN bucketwise.documents d USING (tenant, key)
        JOIN bucketwise.embeddings e USING (tenant, text_sha256)
        WHERE c.tenant = for_tenant AND bucketwise.document_matches(d, filters))
    SELECT * FROM candidate ORDER BY cosine DESC, key, ordinal LIMIT depth;
END
$$
$template$,
        CASE WHEN by_signs THEN 400 ELSE 200 END,
        CASE WHEN by_signs
            THEN format('binary_quantize(e.embedding)::bit(%1$s) <~> binary_quantize(question_embedding)::bit(%1$s)',
                        dimensions)
            ELSE 'e.embedding <=> question_embedding' END,
        CASE WHEN by_signs THEN 'greatest(4 * depth, 400)' ELSE 'depth' END);
END
$make$;

ALTER TABLE bucketwise.index_settings ADD COLUMN vector_index text CHECK (vector_index IN ('halfvec', 'binary'));
UPDATE bucketwise.index_settings
SET vector_index = bucketwise.vector_index_for(current_setting('bucketwise.vector_index'), dimensions);
ALTER TABLE bucketwise.index_settings ALTER COLUMN vector_index SET NOT NULL;

ALTER TABLE bucketwise.embeddings SET (toast_tuple_target = 8160);
DO $$
DECLARE
    made record;
BEGIN
    SELECT dimensions, vector_index INTO STRICT made FROM bucketwise.index_settings;
    IF made.vector_index <> 'halfvec' THEN  -- which is what the first migration made
        DROP INDEX bucketwise.embeddings_hnsw;
        PERFORM bucketwise.make_vector_index('embeddings', made.dimensions, made.vector_index);
    END IF;
    PERFORM bucketwise.make_nearest(made.dimensions, made.vector_index);
END
$$;
