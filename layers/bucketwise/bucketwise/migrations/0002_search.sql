-- Hybrid search in one call: a vector leg, a keyword leg, fused by weighted normalised scores.

-- hnsw.* settings are known, and may be set by a role that is no superuser, only once the library is loaded.
SELECT '[1]'::vector;

CREATE FUNCTION bucketwise.document_matches(document bucketwise.documents, filters jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN (filters ->> 'prefix' IS NULL OR starts_with((document).key, filters ->> 'prefix'))
    AND (filters ->> 'key' IS NULL OR (document).key = filters ->> 'key')
    AND (filters ->> 'content_type' IS NULL OR (document).content_type = filters ->> 'content_type')
    AND (filters ->> 'modified_from' IS NULL
         OR (document).last_modified >= (filters ->> 'modified_from')::timestamptz)
    AND (filters ->> 'modified_before' IS NULL
         OR (document).last_modified < (filters ->> 'modified_before')::timestamptz)
    AND (filters -> 'metadata' IS NULL OR (document).metadata @> (filters -> 'metadata'));

-- Any of the question's words, not all of them: a question is a sentence, not a list of search terms.
CREATE FUNCTION bucketwise.any_of(lexemes text[]) RETURNS tsquery
LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
        FROM unnest(lexemes) AS lexeme);

-- The passages nearest to a vector. HNSW finds too few rows when a filter leaves few of them, so up to
-- `exact_below` candidates are compared one by one instead. plan_cache_mode: a generic plan made for a
-- large tenant starves a small one.
CREATE FUNCTION bucketwise.nearest(
    for_tenant text, question_embedding halfvec, filters jsonb, depth int, exact_below int)
RETURNS TABLE (key text, ordinal int, cosine double precision)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan
SET hnsw.iterative_scan = strict_order
SET hnsw.ef_search = 200
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
    IF candidates <= exact_below THEN
        RETURN QUERY
        WITH candidate AS MATERIALIZED (
            SELECT c.key, c.ordinal, 1 - (e.embedding <=> question_embedding) AS cosine
            FROM bucketwise.chunks c
            JOIN bucketwise.documents d USING (tenant, key)
            JOIN bucketwise.embeddings e USING (tenant, text_sha256)
            WHERE c.tenant = for_tenant AND bucketwise.document_matches(d, filters))
        SELECT * FROM candidate ORDER BY cosine DESC, key, ordinal LIMIT depth;
    ELSE
        RETURN QUERY
        SELECT c.key, c.ordinal, 1 - (e.embedding <=> question_embedding)
        FROM bucketwise.embeddings e
        JOIN bucketwise.chunks c USING (tenant, text_sha256)
        JOIN bucketwise.documents d USING (tenant, key)
        WHERE e.tenant = for_tenant AND bucketwise.document_matches(d, filters)
        ORDER BY e.embedding <=> question_embedding LIMIT depth;
    END IF;
END
$$;

-- The `most` best passages of those that a leg found among its best `depth`.
--   cosine         similarity of passage and question, -1..1; null without a question vector
--   keyword_score  ts_rank; null if only the vector leg found the passage
--   coverage       share of the question's distinct words (stemmed, without stop words) in the passage, 0..1
--   score          keyword_weight * keyword_score / best keyword_score
--                  + (1 - keyword_weight) * cosine scaled to 0..1 between the vector leg's worst and best
CREATE FUNCTION bucketwise.search(
    for_tenant text, question text, question_embedding halfvec, filters jsonb,
    most int, depth int, keyword_weight double precision, exact_below int)
RETURNS TABLE (
    key text, ordinal int, text text, tokens int, start_offset int, marks jsonb,
    version text, title text, content_type text, last_modified timestamptz, metadata jsonb,
    score double precision, vector_rank bigint, cosine double precision,
    keyword_rank bigint, keyword_score double precision, coverage double precision)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    lexemes text[] := tsvector_to_array(to_tsvector('english', question));
    words tsquery := bucketwise.any_of(lexemes);
BEGIN
    RETURN QUERY
    WITH near AS MATERIALIZED (
        SELECT n.key, n.ordinal, n.cosine, row_number() OVER (ORDER BY n.cosine DESC, n.key, n.ordinal) AS rank
        FROM bucketwise.nearest(for_tenant, question_embedding, filters, depth, exact_below) n),
    matching AS MATERIALIZED (
        SELECT c.key, c.ordinal, ts_rank(c.search, words)::double precision AS score
        FROM bucketwise.chunks c JOIN bucketwise.documents d USING (tenant, key)
        WHERE c.tenant = for_tenant AND c.search @@ words AND bucketwise.document_matches(d, filters)
        ORDER BY score DESC, c.key, c.ordinal LIMIT depth),
    found AS (
        SELECT m.key, m.ordinal, m.score, row_number() OVER (ORDER BY m.score DESC, m.key, m.ordinal) AS rank
        FROM matching m),
    scale AS (
        SELECT (SELECT min(cosine) FROM near) AS low, (SELECT max(cosine) FROM near) AS high,
               (SELECT max(score) FROM matching) AS best),
    fused AS (
        SELECT key, ordinal, n.rank AS vector_rank, f.rank AS keyword_rank, f.score AS keyword_score,
            keyword_weight * coalesce(f.score / nullif(s.best, 0), 0)
            + (1 - keyword_weight) * coalesce((n.cosine - s.low) / nullif(s.high - s.low, 0),
                                              (n.cosine IS NOT NULL)::int) AS score
        FROM near n FULL JOIN found f USING (key, ordinal) CROSS JOIN scale s
        ORDER BY score DESC, key, ordinal LIMIT most)
    SELECT c.key, c.ordinal, c.text, c.tokens, c.start_offset, c.marks,
        d.version, d.title, d.content_type, d.last_modified, d.metadata,
        u.score, u.vector_rank, 1 - (e.embedding <=> question_embedding), u.keyword_rank, u.keyword_score,
        cardinality(ARRAY(SELECT unnest(lexemes) INTERSECT SELECT unnest(tsvector_to_array(c.search))))
            / greatest(cardinality(lexemes), 1)::double precision
    FROM fused u
    JOIN bucketwise.chunks c ON c.tenant = for_tenant AND c.key = u.key AND c.ordinal = u.ordinal
    JOIN bucketwise.documents d ON d.tenant = for_tenant AND d.key = u.key
    JOIN bucketwise.embeddings e ON e.tenant = for_tenant AND e.text_sha256 = c.text_sha256
    ORDER BY u.score DESC, u.key, u.ordinal;
END
$$;
