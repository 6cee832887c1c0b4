-- A question is answered from a few of the passages that are found for it. Which of those are relevant is decided here, so
-- that no more of them are looked up than are wanted.

-- The `most` best of the `candidates` best passages of a search that are relevant: as close to the question as `min_cosine`
-- says, or with as many of its words as `min_coverage` does. All are if both are null.
-- `ahead` is what bucketwise.keyword_leg found of the same question before. It counts if it is of the corpus version that
-- this search sees, and so of the very same commits; else, and if it is null, the keyword leg is asked now.
--   cosine         similarity of passage and question, -1..1; null without a question vector
--   keyword_score  BM25; null if only the vector leg found the passage
--   coverage       share of the question's words that the passage has, 0..1, each word counted by how rare it is: as the
--                  rarest of its terms that there are, and one that no chunk has, the most
--   score          keyword_weight * keyword_score scaled to 0..1
--                  + (1 - keyword_weight) * cosine scaled to 0..1 between the vector leg's worst and best
-- keyword_normalisation says how the keyword score is scaled: by 'max' it is divided by the best one, by 'min_max' it is
-- taken between the keyword leg's worst and best, as the cosine is.
-- Up to `exact_below` chunks are compared with the vector one by one.
-- OFFSET 0: each is looked up by itself. A plan for a tenant of average size would rather read all of a small one's, and
-- that of the one large tenant among many small ones with it.
CREATE FUNCTION bucketwise.search_relevant(
    for_tenant text, of_words int[], of_languages text[], of_terms bigint[], question_embedding halfvec, filters jsonb,
    most int, candidates int, min_cosine double precision, min_coverage double precision, depth int,
    keyword_weight double precision, exact_below int, most_postings int,
    k1 double precision, b double precision, keyword_normalisation text, ahead bucketwise.keyword_findings)
RETURNS TABLE (
    key text, ordinal int, text text, tokens int, start_offset int, marks jsonb,
    version text, title text, content_type text, last_modified timestamptz, metadata jsonb,
    score double precision, vector_rank bigint, cosine double precision,
    keyword_rank bigint, keyword_score double precision, coverage double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    leg bucketwise.keyword_findings := ahead;
    best_keys text[];
    best_ordinals int[];
    scores double precision[];
    vector_ranks bigint[];
    cosines double precision[];
    keyword_ranks bigint[];
    keyword_scores double precision[];
    looked_up int := 0;
    looking_up int := most;
    more bigint;
    told bigint := 0;
BEGIN
    IF leg.tenant IS DISTINCT FROM for_tenant
       OR leg.corpus_version IS DISTINCT FROM bucketwise.corpus_version(for_tenant) THEN
        leg := bucketwise.keyword_leg(
            for_tenant, of_words, of_languages, of_terms, filters, depth, exact_below, most_postings, k1, b);
    END IF;
    IF leg.among = '{}' THEN
        RETURN;
    END IF;
    WITH near AS MATERIALIZED (
        SELECT n.key, n.ordinal, n.cosine, row_number() OVER (ORDER BY n.cosine DESC, n.key, n.ordinal) AS rank
        FROM bucketwise.nearest_among(
            for_tenant, question_embedding, leg.among, depth, leg.candidates <= exact_below,
            CASE WHEN leg.among IS NULL THEN leg.candidates END) n),
    found AS MATERIALIZED (
        SELECT m.key, m.ordinal, m.score, m.rank
        FROM unnest(leg.keys, leg.ordinals, leg.scores) WITH ORDINALITY AS m (key, ordinal, score, rank)),
    scale AS MATERIALIZED (
        SELECT (SELECT min(cosine) FROM near) AS low, (SELECT max(cosine) FROM near) AS high,
               (SELECT max(score) FROM found) AS best,
               CASE keyword_normalisation WHEN 'min_max' THEN (SELECT min(score) FROM found) ELSE 0 END AS worst),
    joined AS (
        SELECT key, ordinal, max(vector_rank) AS vector_rank, max(cosine) AS cosine,
            max(keyword_rank) AS keyword_rank, max(keyword_score) AS keyword_score
        FROM (
            SELECT key, ordinal, rank AS vector_rank, cosine, NULL AS keyword_rank, NULL AS keyword_score FROM near
            UNION ALL
            SELECT key, ordinal, NULL, NULL, rank, score FROM found) AS legs
        GROUP BY key, ordinal),
    fused AS (
        SELECT j.*,
            keyword_weight * coalesce((j.keyword_score - s.worst) / nullif(s.best - s.worst, 0),
                                      (j.keyword_score IS NOT NULL)::int)
            + (1 - keyword_weight) * coalesce((j.cosine - s.low) / nullif(s.high - s.low, 0),
                                              (j.cosine IS NOT NULL)::int) AS score
        FROM joined j CROSS JOIN scale s)
    SELECT array_agg(f.key), array_agg(f.ordinal), array_agg(f.score),
        array_agg(f.vector_rank), array_agg(f.cosine), array_agg(f.keyword_rank), array_agg(f.keyword_score)
    INTO best_keys, best_ordinals, scores, vector_ranks, cosines, keyword_ranks, keyword_scores
    FROM (SELECT * FROM fused ORDER BY score DESC, key, ordinal LIMIT candidates) AS f;
    -- First as many as are wanted, which may all be relevant; if not, the others.
    WHILE told < most AND looked_up < cardinality(best_keys) LOOP
        RETURN QUERY
        WITH described AS MATERIALIZED (
            SELECT u.key, u.ordinal, u.score, u.vector_rank, u.cosine, u.keyword_rank, u.keyword_score, u.place,
                d.version, d.title, d.content_type, d.last_modified, d.metadata, d.language
            FROM unnest(
                best_keys[looked_up + 1:looking_up], best_ordinals[looked_up + 1:looking_up],
                scores[looked_up + 1:looking_up], vector_ranks[looked_up + 1:looking_up],
                cosines[looked_up + 1:looking_up], keyword_ranks[looked_up + 1:looking_up],
                keyword_scores[looked_up + 1:looking_up])
                WITH ORDINALITY
                AS u (key, ordinal, score, vector_rank, cosine, keyword_rank, keyword_score, place)
            CROSS JOIN LATERAL (
                SELECT * FROM bucketwise.documents h WHERE h.tenant = for_tenant AND h.key = u.key OFFSET 0) AS d),
        meant AS MATERIALIZED (
            SELECT l.language, w.terms, w.worth
            FROM (SELECT DISTINCT language FROM described) AS l
            CROSS JOIN LATERAL (
                SELECT array_agg(g.term) AS terms,
                    coalesce(max(g.worth) FILTER (WHERE g.chunks IS NOT NULL), max(g.worth)) AS worth
                FROM unnest(leg.asked_words, leg.asked_languages, leg.asked_terms, leg.asked_chunks, leg.asked_worth)
                    AS g (word, language, term, chunks, worth)
                WHERE g.language IN ('*', l.language) OR g.language = '' AND l.language <> ALL(of_languages)
                GROUP BY g.word) AS w)
        SELECT c.key, c.ordinal, c.text, c.tokens, c.start_offset, c.marks,
            u.version, u.title, u.content_type, u.last_modified, u.metadata,
            u.score, u.vector_rank, compared.cosine, u.keyword_rank, u.keyword_score, covered.coverage
        FROM described u
        CROSS JOIN LATERAL (
            SELECT * FROM bucketwise.chunks h
            WHERE h.tenant = for_tenant AND h.key = u.key AND h.ordinal = u.ordinal OFFSET 0) AS c
        CROSS JOIN LATERAL (
            SELECT CASE WHEN u.cosine IS NOT NULL OR question_embedding IS NULL THEN u.cosine ELSE (
                SELECT 1 - (e.embedding <=> question_embedding) FROM bucketwise.embeddings e
                WHERE e.tenant = for_tenant AND e.text_sha256 = c.text_sha256) END AS cosine OFFSET 0) AS compared
        CROSS JOIN LATERAL (SELECT c.terms || '{}' AS terms OFFSET 0) AS own
        CROSS JOIN LATERAL (
            SELECT coalesce(
                sum(m.worth) FILTER (WHERE EXISTS (
                    SELECT FROM unnest(m.terms) AS t (term)
                    WHERE own.terms[width_bucket(t.term << 8 | 255, own.terms)] >> 8 = t.term))
                / nullif(sum(m.worth), 0), 0) AS coverage
            FROM meant m WHERE m.language IS NOT DISTINCT FROM u.language) AS covered
        -- A cosine that is no number is above all that are.
        WHERE coalesce(min_cosine, min_coverage) IS NULL
           OR compared.cosine BETWEEN min_cosine AND 1 OR covered.coverage >= min_coverage
        ORDER BY u.place LIMIT most - told;
        GET DIAGNOSTICS more = ROW_COUNT;
        told := told + more;
        looked_up := looking_up;
        looking_up := cardinality(best_keys);
    END LOOP;
END
$$;

-- As functions of older versions call it.
CREATE OR REPLACE FUNCTION bucketwise.search_both(
    for_tenant text, of_words int[], of_languages text[], of_terms bigint[], question_embedding halfvec, filters jsonb,
    most int, depth int, keyword_weight double precision, exact_below int, most_postings int,
    k1 double precision, b double precision, keyword_normalisation text, ahead bucketwise.keyword_findings)
RETURNS TABLE (
    key text, ordinal int, text text, tokens int, start_offset int, marks jsonb,
    version text, title text, content_type text, last_modified timestamptz, metadata jsonb,
    score double precision, vector_rank bigint, cosine double precision,
    keyword_rank bigint, keyword_score double precision, coverage double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
BEGIN ATOMIC
    SELECT * FROM bucketwise.search_relevant(
        for_tenant, of_words, of_languages, of_terms, question_embedding, filters, most, most, NULL, NULL, depth,
        keyword_weight, exact_below, most_postings, k1, b, keyword_normalisation, ahead);
END;
