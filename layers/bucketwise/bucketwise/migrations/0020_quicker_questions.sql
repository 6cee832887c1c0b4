-- The keyword leg by itself: a question's words are there before its vector is, and are looked for while that is waited
-- for.

-- What the keyword leg found of a question in one version of a tenant's corpus, best first, and what it learned of the
-- question's words: for each term of which word it is, in documents of which language, how many chunks have it, and
-- what it is worth. `among` are the keys of the documents that match the filters, null without any; `candidates` is how
-- many chunks there are to choose from.
CREATE TYPE bucketwise.keyword_findings AS (
    tenant text, corpus_version bigint, among text[], candidates bigint,
    asked_words int[], asked_languages text[], asked_terms bigint[], asked_chunks bigint[],
    asked_worth double precision[],
    keys text[], ordinals int[], scores double precision[]);

-- The best `depth` passages by BM25. Of each term of the question is told of which of its words it is, and for documents
-- of which language; '*' stands for all.
-- How rare a word is counts the chunks of all languages: those with its commonest term in each other language, and all
-- of a language whose stop word it is. Else the few chunks in a language that the question is not in would be found by
-- the question's stop words, which stand in no other.
-- Up to a fifth of `exact_below` chunks are scored by their own terms.
CREATE FUNCTION bucketwise.keyword_leg(
    for_tenant text, of_words int[], of_languages text[], of_terms bigint[], filters jsonb, depth int, exact_below int,
    most_postings int, k1 double precision, b double precision) RETURNS bucketwise.keyword_findings
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
    leg bucketwise.keyword_findings;
    total double precision;
    mean double precision;
    spoken text[];
    spoken_chunks bigint[];
    words bigint[];
    worth double precision[];
    frequencies bigint[];
BEGIN
    leg.tenant := for_tenant;
    leg.corpus_version := bucketwise.corpus_version(for_tenant);
    SELECT coalesce(sum(c.chunks), 0), greatest(sum(c.chunks), 1),
        greatest(sum(c.length) / greatest(sum(c.chunks), 1), 1)
    INTO leg.candidates, total, mean FROM bucketwise.corpus_changes c WHERE c.tenant = for_tenant;
    IF filters <> '{}' THEN
        SELECT m.keys, m.chunks INTO leg.among, leg.candidates
        FROM bucketwise.matching_documents(for_tenant, filters) m;
        IF leg.among = '{}' THEN
            RETURN leg;
        END IF;
    ELSIF leg.candidates <= exact_below THEN  -- chunks that an older version stored are not in that sum
        SELECT count(*) INTO leg.candidates
        FROM (SELECT FROM bucketwise.chunks c WHERE c.tenant = for_tenant LIMIT exact_below + 1) AS counted;
    END IF;
    -- Words of documents whose language has no stemmer are neutral.
    spoken := ARRAY(
        SELECT l.language FROM bucketwise.tenant_languages l WHERE l.tenant = for_tenant
        UNION SELECT '*'
        UNION SELECT '' FROM bucketwise.tenant_languages l
        WHERE l.tenant = for_tenant AND l.language <> ALL(of_languages));
    spoken_chunks := ARRAY(
        SELECT coalesce((
            SELECT sum(p.chunks)::bigint FROM bucketwise.postings p
            WHERE cardinality(spoken) > 2 AND p.tenant = for_tenant
              AND p.term = bucketwise.language_term(s.language)), 0)
        FROM unnest(spoken) AS s (language));
    SELECT array_agg(a.word), array_agg(a.language), array_agg(a.term), array_agg(a.chunks), array_agg(a.worth)
    INTO leg.asked_words, leg.asked_languages, leg.asked_terms, leg.asked_chunks, leg.asked_worth
    FROM (
        SELECT t.word, t.language, t.term, t.chunks,
            bucketwise.inverse_frequency(total, coalesce(t.chunks, 0) + CASE WHEN t.language = '*' THEN 0 ELSE
                sum(t.most) FILTER (WHERE t.place = 1 AND t.language <> '*') OVER of_word - t.most
                + CASE WHEN bool_or(t.language = '*') OVER of_word THEN 0 ELSE
                    (SELECT sum(n) FROM unnest(spoken_chunks) AS n)
                    - sum(t.in_language) FILTER (WHERE t.place = 1) OVER of_word END END) AS worth
        FROM (
            SELECT q.word, q.language, q.term, f.chunks,
                spoken_chunks[array_position(spoken, q.language)] AS in_language,
                coalesce(max(f.chunks) OVER of_language, 0) AS most,
                row_number() OVER of_language AS place
            FROM unnest(of_words, of_languages, of_terms) AS q (word, language, term)
            CROSS JOIN LATERAL (
                SELECT nullif(greatest(sum(p.chunks), 0), 0)::bigint AS chunks FROM bucketwise.postings p
                WHERE p.tenant = for_tenant AND p.term = q.term) AS f
            WHERE q.language = ANY(spoken)
            WINDOW of_language AS (PARTITION BY q.word, q.language)) AS t
        WINDOW of_word AS (PARTITION BY t.word)) AS a;
    SELECT array_agg(f.term ORDER BY f.chunks, f.term), array_agg(f.worth ORDER BY f.chunks, f.term),
        array_agg(f.chunks ORDER BY f.chunks, f.term)
    INTO words, worth, frequencies
    FROM (
        SELECT a.term, a.chunks, max(a.worth) AS worth
        FROM unnest(leg.asked_terms, leg.asked_chunks, leg.asked_worth) AS a (term, chunks, worth)
        WHERE a.chunks IS NOT NULL GROUP BY a.term, a.chunks) AS f;
    SELECT array_agg(m.key ORDER BY m.score DESC, m.key, m.ordinal),
        array_agg(m.ordinal ORDER BY m.score DESC, m.key, m.ordinal),
        array_agg(m.score ORDER BY m.score DESC, m.key, m.ordinal)
    INTO leg.keys, leg.ordinals, leg.scores
    FROM bucketwise.best_among(
        for_tenant, words, worth, frequencies, mean, leg.among, leg.candidates / total, depth,
        leg.candidates <= exact_below / 5, most_postings, k1, b) m;
    RETURN leg;
END
$$;

-- The `most` best passages of those that a leg found among its best `depth`. `ahead` is what bucketwise.keyword_leg found
-- of the same question before. It counts if it is of the corpus version that this search sees, and so of the very same
-- commits; else, and if it is null, the keyword leg is asked now.
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
CREATE FUNCTION bucketwise.search_both(
    for_tenant text, of_words int[], of_languages text[], of_terms bigint[], question_embedding halfvec, filters jsonb,
    most int, depth int, keyword_weight double precision, exact_below int, most_postings int,
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
BEGIN
    IF leg.tenant IS DISTINCT FROM for_tenant
       OR leg.corpus_version IS DISTINCT FROM bucketwise.corpus_version(for_tenant) THEN
        leg := bucketwise.keyword_leg(
            for_tenant, of_words, of_languages, of_terms, filters, depth, exact_below, most_postings, k1, b);
    END IF;
    IF leg.among = '{}' THEN
        RETURN;
    END IF;
    RETURN QUERY
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
    fused AS MATERIALIZED (
        SELECT j.key, j.ordinal, j.vector_rank, j.cosine, j.keyword_rank, j.keyword_score,
            keyword_weight * coalesce((j.keyword_score - s.worst) / nullif(s.best - s.worst, 0),
                                      (j.keyword_score IS NOT NULL)::int)
            + (1 - keyword_weight) * coalesce((j.cosine - s.low) / nullif(s.high - s.low, 0),
                                              (j.cosine IS NOT NULL)::int) AS score
        FROM joined j CROSS JOIN scale s
        ORDER BY score DESC, key, ordinal LIMIT most),
    described AS MATERIALIZED (
        SELECT u.key, u.ordinal, u.score, u.vector_rank, u.cosine, u.keyword_rank, u.keyword_score,
            d.version, d.title, d.content_type, d.last_modified, d.metadata, d.language
        FROM fused u
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
        u.score, u.vector_rank,
        CASE WHEN u.cosine IS NOT NULL OR question_embedding IS NULL THEN u.cosine ELSE (
            SELECT 1 - (e.embedding <=> question_embedding) FROM bucketwise.embeddings e
            WHERE e.tenant = for_tenant AND e.text_sha256 = c.text_sha256) END,
        u.keyword_rank, u.keyword_score,
        coalesce((
            SELECT sum(m.worth) FILTER (WHERE EXISTS (
                SELECT FROM unnest(m.terms) AS t (term)
                WHERE own.terms[width_bucket(t.term << 8 | 255, own.terms)] >> 8 = t.term)) / nullif(sum(m.worth), 0)
            FROM meant m WHERE m.language IS NOT DISTINCT FROM u.language), 0)
    FROM described u
    CROSS JOIN LATERAL (
        SELECT * FROM bucketwise.chunks h
        WHERE h.tenant = for_tenant AND h.key = u.key AND h.ordinal = u.ordinal OFFSET 0) AS c
    CROSS JOIN LATERAL (SELECT c.terms || '{}' AS terms OFFSET 0) AS own
    ORDER BY u.score DESC, u.key, u.ordinal;
END
$$;

-- As functions of older versions call it.
CREATE OR REPLACE FUNCTION bucketwise.hybrid_search(
    for_tenant text, of_words int[], of_languages text[], of_terms bigint[], question_embedding halfvec, filters jsonb,
    most int, depth int, keyword_weight double precision, exact_below int, most_postings int,
    k1 double precision, b double precision, keyword_normalisation text DEFAULT 'max')
RETURNS TABLE (
    key text, ordinal int, text text, tokens int, start_offset int, marks jsonb,
    version text, title text, content_type text, last_modified timestamptz, metadata jsonb,
    score double precision, vector_rank bigint, cosine double precision,
    keyword_rank bigint, keyword_score double precision, coverage double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
BEGIN ATOMIC
    SELECT * FROM bucketwise.search_both(
        for_tenant, of_words, of_languages, of_terms, question_embedding, filters, most, depth, keyword_weight,
        exact_below, most_postings, k1, b, keyword_normalisation, NULL);
END;

-- Makes bucketwise.nearest_among for vectors of so many dimensions and an index of this kind: an index over an
-- expression is used only by a query that has the same expression, with the dimensions in it.
CREATE OR REPLACE FUNCTION bucketwise.make_nearest(dimensions int, vector_index text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $make$
DECLARE
    by_signs boolean := bucketwise.vector_index_for(vector_index, dimensions) = 'binary';
BEGIN
    -- hnsw.* settings are known, and may be set by a role that is no superuser, only once the library is loaded.
    PERFORM '[1]'::vector;
    EXECUTE format($template$
-- The passages nearest to a vector among the documents with these keys, or all: `depth` of them, if there are as many.
-- They are compared `one_by_one`, or looked for by HNSW; and one by one all the same should HNSW find too few, as it may
-- behind a filter that leaves few of those around the question. An index over signs only says which vectors may be near:
-- the more there are, `of_chunks`, the more of them are compared. Null, as behind a filter: as many as ever.
-- asked: what the index is asked with, made once and not for each row.
-- enable_sort, enable_material, join_collapse_limit: HNSW is asked first, and what it finds is looked up. jit: a sort that
-- is disabled, but cannot be avoided, would look so expensive that it is worth being compiled.
CREATE OR REPLACE FUNCTION bucketwise.nearest_among(
    for_tenant text, question_embedding halfvec, among text[], depth int, one_by_one boolean, of_chunks bigint)
RETURNS TABLE (key text, ordinal int, cosine double precision)
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET enable_material = off
SET join_collapse_limit = 1
SET jit = off
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = %1$s
AS $$
#variable_conflict use_column
DECLARE
    asked %4$s;
BEGIN
    IF question_embedding IS NULL THEN
        RETURN;
    END IF;
    IF NOT one_by_one THEN
        asked := %5$s;
        RETURN QUERY
        WITH found AS MATERIALIZED (
            SELECT c.key, c.ordinal, 1 - (e.embedding <=> question_embedding) AS cosine
            FROM bucketwise.embeddings e
            JOIN bucketwise.chunks c ON c.tenant = for_tenant AND c.text_sha256 = e.text_sha256
            WHERE e.tenant = for_tenant AND (among IS NULL OR c.key IN (SELECT unnest(among)))
            ORDER BY %2$s LIMIT %3$s)
        SELECT * FROM found WHERE (SELECT count(*) FROM found) >= depth
        ORDER BY cosine DESC, key, ordinal LIMIT depth;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY
    SELECT c.key, c.ordinal, 1 - (e.embedding <=> question_embedding) AS cosine
    FROM bucketwise.chunks_among(for_tenant, among) c
    JOIN bucketwise.embeddings e ON e.tenant = for_tenant AND e.text_sha256 = c.text_sha256
    ORDER BY cosine DESC, key, ordinal LIMIT depth;
END
$$
$template$,
        CASE WHEN by_signs THEN 400 ELSE 200 END,
        CASE WHEN by_signs THEN format('binary_quantize(e.embedding)::bit(%s) <~> asked', dimensions)
            ELSE 'e.embedding <=> asked' END,
        CASE WHEN by_signs THEN 'greatest(2 * depth, 200, least(greatest(4 * depth, 400), of_chunks / 100))'
            ELSE 'depth' END,
        CASE WHEN by_signs THEN format('bit(%s)', dimensions) ELSE 'halfvec' END,
        CASE WHEN by_signs THEN 'binary_quantize(question_embedding)' ELSE 'question_embedding' END);
END
$make$;
SELECT bucketwise.make_nearest(dimensions, vector_index) FROM bucketwise.index_settings;

-- What else a question asks of the index is planned once for each connection, too, and looks up each row by its key.

-- The chunks of one tenant from `firsts[i]` to `lasts[i]` (their ordinals) of `of_keys[i]`, with the version that they
-- are of: all of one snapshot, so those of one document are of one version of it.
CREATE OR REPLACE FUNCTION bucketwise.neighbours(for_tenant text, of_keys text[], firsts int[], lasts int[])
RETURNS TABLE (key text, ordinal int, text text, tokens int, start_offset int, marks jsonb, version text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.key, c.ordinal, c.text, c.tokens, c.start_offset, c.marks, d.version
    FROM unnest(of_keys, firsts, lasts) AS w (key, first, last)
    CROSS JOIN LATERAL (
        SELECT h.version FROM bucketwise.documents h WHERE h.tenant = for_tenant AND h.key = w.key OFFSET 0) AS d
    CROSS JOIN LATERAL (
        SELECT * FROM bucketwise.chunks h
        WHERE h.tenant = for_tenant AND h.key = w.key AND h.ordinal BETWEEN w.first AND w.last OFFSET 0) AS c;
END
$$;

-- Keeps an answer that was found in the corpus version `found_in`; whether it did. It does not if that is the version no
-- more, or one of its sources is not indexed in the version that is named here.
-- A change of a source locks that document's row, and having it, deletes the answers that it finds (see ingest's swap).
-- Here the sources' rows are locked too, against changes and not against each other. So either the change comes later,
-- and finds the answer; or it came before, and is seen here; or it is under way, and then nothing is kept.
-- With sources locked, nothing is waited for but the answer's own row, and not for long: who waited for one source's
-- change would have those of the others wait for it too.
CREATE OR REPLACE FUNCTION bucketwise.keep_answer(
    for_tenant text, for_fingerprint bytea, found_in bigint, given json, source_keys text[], source_versions text[])
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET lock_timeout = '20ms'
AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);  -- a kept answer that a crash takes away costs a new one
    IF (SELECT count(*) FROM unnest(source_keys, source_versions) AS s (key, version)
        CROSS JOIN LATERAL (
            SELECT FROM bucketwise.documents d
            WHERE d.tenant = for_tenant AND d.key = s.key
              AND d.state = 'indexed' AND d.version IS NOT DISTINCT FROM s.version
            FOR SHARE OF d NOWAIT) AS locked) <> cardinality(source_keys) THEN
        RETURN false;
    END IF;
    -- A statement of its own, so that it sees what was committed before the locks were had.
    IF bucketwise.corpus_version(for_tenant) <> found_in THEN
        RETURN false;
    END IF;
    DELETE FROM bucketwise.cached_answers a WHERE a.tenant = for_tenant AND a.fingerprint = for_fingerprint;
    INSERT INTO bucketwise.cached_answers (tenant, fingerprint, corpus_version, answer)
    VALUES (for_tenant, for_fingerprint, found_in, given) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN  -- another was quicker
        RETURN false;
    END IF;
    INSERT INTO bucketwise.cached_answer_sources (tenant, key, fingerprint)
    SELECT for_tenant, s.key, for_fingerprint FROM unnest(source_keys) AS s (key);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$$;

ALTER FUNCTION bucketwise.cached(text, bytea, double precision, bytea, text, int)
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off
    SET enable_mergejoin = off SET jit = off;
