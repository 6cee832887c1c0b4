-- Keyword search by BM25, on posting lists that are only ever appended to.

-- A chunk has its terms with it: `terms` holds term * 256 + count (at most 255), ascending; a term is the number that
-- bucketwise.analysis gives it. `length` counts all its terms. Numbers are given once, and never again. All three are
-- null in a chunk that an older version stored: keywords find it when reconcile has had it made anew.
CREATE SEQUENCE bucketwise.chunk_number_blocks AS bigint CACHE 1;
ALTER TABLE bucketwise.chunks
    DROP COLUMN search,
    ADD COLUMN number bigint,
    ADD COLUMN length int,
    ADD COLUMN terms bigint[];
CREATE UNIQUE INDEX chunks_by_number ON bucketwise.chunks (number);
ALTER TABLE bucketwise.documents ADD COLUMN language text NOT NULL DEFAULT '';

-- Where a term stands. A commit appends its rows at level 0, one for each term; folding merges them, from level to
-- level, into few. `chunks` is by how many chunks with the term there are more: a removal appends a negative row
-- without entries, so their sum is the document frequency at any moment. An entry holds a chunk's number (40 bits),
-- its length (13 bits) and the term's count (8 bits). Those of chunks that are gone stay until they are folded.
CREATE TABLE bucketwise.postings (
    tenant  text NOT NULL,
    term    bigint NOT NULL,
    level   smallint NOT NULL,
    chunks  bigint NOT NULL,
    entries bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX postings_by_term ON bucketwise.postings (tenant, term);

-- How many chunks a tenant has, and how long they are together: sums of deltas, as its corpus version is.
ALTER TABLE bucketwise.corpus_changes
    ADD COLUMN chunks bigint NOT NULL DEFAULT 0,
    ADD COLUMN length bigint NOT NULL DEFAULT 0;
DROP INDEX bucketwise.corpus_changes_by_tenant;
CREATE INDEX corpus_changes_by_tenant ON bucketwise.corpus_changes (tenant) INCLUDE (delta, chunks, length);

-- The languages that a tenant's documents are or once were in: a question is stemmed in these. One may stand here more
-- than once: two commits that bring the same new language would wait for each other at a unique index.
CREATE TABLE bucketwise.tenant_languages (
    tenant   text NOT NULL,
    language text NOT NULL
);
CREATE INDEX languages_by_tenant ON bucketwise.tenant_languages (tenant, language);

-- Makes the terms of a document's chunks, just stored, searchable. Nothing that another document wrote is touched.
CREATE FUNCTION bucketwise.add_terms(for_tenant text, for_key text, in_language text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO bucketwise.tenant_languages (tenant, language) SELECT for_tenant, in_language
    WHERE NOT EXISTS (
        SELECT FROM bucketwise.tenant_languages l WHERE l.tenant = for_tenant AND l.language = in_language);
    INSERT INTO bucketwise.corpus_changes (tenant, delta, chunks, length)
    SELECT for_tenant, 0, count(*), sum(length) FROM bucketwise.chunks
    WHERE tenant = for_tenant AND key = for_key HAVING count(*) > 0;
    INSERT INTO bucketwise.postings (tenant, term, level, chunks, entries)
    SELECT for_tenant, t >> 8, 0, count(*),
        array_agg(c.number << 21 | (least(c.length, 8191) << 8) | (t & 255) ORDER BY c.number)
    FROM bucketwise.chunks c CROSS JOIN unnest(c.terms) AS t
    WHERE c.tenant = for_tenant AND c.key = for_key GROUP BY t >> 8;
END;

-- Merges the postings of the levels up to `upto`, of terms in a range, into blocks of the next level, or of level 3, the
-- last one; without those of chunks that are gone. Terms of which nothing came since are left alone. Commits go on
-- meanwhile; of one tenant's folds, one goes on at a time, and the others do nothing.
CREATE FUNCTION bucketwise.fold_postings(for_tenant text, upto int, first_term bigint, last_term bigint) RETURNS boolean
LANGUAGE plpgsql
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
    block_entries CONSTANT int := 4096;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('bucketwise postings ' || for_tenant, 0)) THEN
        RETURN false;
    END IF;
    WITH changed AS (
        SELECT DISTINCT term FROM bucketwise.postings
        WHERE tenant = for_tenant AND term BETWEEN first_term AND last_term AND level < least(upto + 1, 3)),
    taken AS (
        DELETE FROM bucketwise.postings p USING changed c
        WHERE p.tenant = for_tenant AND p.term = c.term AND p.level <= upto
        RETURNING p.term, p.chunks, p.entries),
    counted AS (SELECT term, sum(chunks)::bigint AS chunks FROM taken GROUP BY term),
    live AS (
        SELECT term, entry, (row_number() OVER (PARTITION BY term ORDER BY entry) - 1) / block_entries AS block
        FROM taken CROSS JOIN unnest(entries) AS entry
        WHERE EXISTS (SELECT FROM bucketwise.chunks c WHERE c.number = entry >> 21)),
    blocks AS (SELECT term, block, array_agg(entry ORDER BY entry) AS entries FROM live GROUP BY term, block)
    INSERT INTO bucketwise.postings (tenant, term, level, chunks, entries)
    SELECT for_tenant, c.term, least(upto + 1, 3), CASE WHEN coalesce(b.block, 0) = 0 THEN c.chunks ELSE 0 END,
        coalesce(b.entries, '{}')
    FROM counted c LEFT JOIN blocks b USING (term)
    WHERE c.chunks <> 0 OR b.entries IS NOT NULL;
    RETURN true;
END
$$;

-- What a term is worth: Robertson and Zaragoza's inverse document frequency, in the form that Lucene gives it, which is
-- never negative. Of a term that no chunk has, the highest.
CREATE FUNCTION bucketwise.inverse_frequency(total double precision, chunks double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
RETURN ln(1 + (greatest(total, chunks) - chunks + 0.5) / (chunks + 0.5));

-- How much a term adds to the score of a chunk in which it stands `count` times, BM25 with Lucene's constant factor left out.
CREATE FUNCTION bucketwise.term_weight(
    inverse_frequency double precision, count double precision, length double precision, mean double precision,
    k1 double precision, b double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
RETURN inverse_frequency * count / (count + k1 * (1 - b + b * length / mean));

-- The `depth` best chunks by BM25 among those that the filters leave.
--   Up to `exact_below` chunks are scored one by one, by their own terms. Of more, candidates are those that have one of
--   the question's rarer words, as many words as have up to `most_postings` postings together, and at least one; the
--   others only add to the scores of the best candidates. So a chunk of common words alone may be missed.
CREATE FUNCTION bucketwise.best_by_words(
    for_tenant text, words bigint[], worth double precision[], frequencies bigint[], mean double precision,
    filters jsonb, depth int, exact_below int, most_postings int, k1 double precision, b double precision)
RETURNS TABLE (key text, ordinal int, score double precision)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    rare int := 0;
    read bigint := 0;
    pool int := 4 * depth;
    numbers bigint[];
    partials double precision[];
    passing bigint[];
    passing_partials double precision[];
    candidates int;
BEGIN
    SELECT count(*) INTO candidates FROM (
        SELECT 1 FROM bucketwise.chunks c JOIN bucketwise.documents d USING (tenant, key)
        WHERE c.tenant = for_tenant AND bucketwise.document_matches(d, filters)
        LIMIT exact_below + 1) AS counted;
    IF candidates <= exact_below THEN
        RETURN QUERY
        SELECT c.key, c.ordinal, sum(bucketwise.term_weight(w.worth, held & 255, c.length, mean, k1, b)) AS score
        FROM bucketwise.chunks c
        JOIN bucketwise.documents d USING (tenant, key)
        CROSS JOIN unnest(words, worth) AS w (term, worth)
        CROSS JOIN LATERAL (SELECT c.terms[width_bucket(w.term << 8 | 255, c.terms)] AS held) AS looked_up
        WHERE c.tenant = for_tenant AND bucketwise.document_matches(d, filters) AND held >> 8 = w.term
        GROUP BY c.key, c.ordinal ORDER BY score DESC, key, ordinal LIMIT depth;
        RETURN;
    END IF;
    WHILE rare < cardinality(words) AND (rare = 0 OR read + frequencies[rare + 1] <= most_postings) LOOP
        rare := rare + 1;
        read := read + frequencies[rare];
    END LOOP;
    SELECT array_agg(p.number ORDER BY p.partial DESC, p.number), array_agg(p.partial ORDER BY p.partial DESC, p.number)
    INTO numbers, partials
    FROM (
        SELECT entry >> 21 AS number,
            sum(bucketwise.term_weight(e.worth, entry & 255, entry >> 8 & 8191, mean, k1, b)) AS partial
        FROM (
            SELECT w.worth, unnest(p.entries) AS entry
            FROM unnest(words[:rare], worth[:rare]) AS w (term, worth)
            JOIN bucketwise.postings p ON p.tenant = for_tenant AND p.term = w.term) AS e
        GROUP BY entry >> 21) AS p;
    -- Filters are looked up for the best candidates alone, and for more as long as they leave too few.
    LOOP
        SELECT array_agg(n.number), array_agg(n.partial) INTO passing, passing_partials
        FROM unnest(numbers[:pool], partials[:pool]) AS n (number, partial)
        JOIN bucketwise.chunks c ON c.number = n.number AND c.tenant = for_tenant
        JOIN bucketwise.documents d USING (tenant, key)
        WHERE bucketwise.document_matches(d, filters);
        EXIT WHEN pool >= coalesce(cardinality(numbers), 0) OR cardinality(passing) >= 2 * depth;
        pool := 8 * pool;
    END LOOP;
    RETURN QUERY
    SELECT c.key, c.ordinal, n.partial + coalesce(rest.score, 0) AS score
    FROM unnest(passing, passing_partials) AS n (number, partial)
    JOIN bucketwise.chunks c ON c.number = n.number
    LEFT JOIN LATERAL (
        SELECT sum(bucketwise.term_weight(w.worth, held & 255, c.length, mean, k1, b)) AS score
        FROM unnest(words[rare + 1:], worth[rare + 1:]) AS w (term, worth)
        CROSS JOIN LATERAL (SELECT c.terms[width_bucket(w.term << 8 | 255, c.terms)] AS held) AS looked_up
        WHERE held >> 8 = w.term) AS rest ON true
    ORDER BY score DESC, key, ordinal LIMIT depth;
END
$$;

-- The `most` best passages of those that a leg found among its best `depth`. Of each term of the question is told of
-- which of its words it is, and for documents of which language; '*' stands for all.
--   cosine         similarity of passage and question, -1..1; null without a question vector
--   keyword_score  BM25; null if only the vector leg found the passage
--   coverage       share of the question's words that the passage has, 0..1, each word counted by how rare it is
--   score          keyword_weight * keyword_score / best keyword_score
--                  + (1 - keyword_weight) * cosine scaled to 0..1 between the vector leg's worst and best
CREATE FUNCTION bucketwise.hybrid_search(
    for_tenant text, of_words int[], of_languages text[], of_terms bigint[], question_embedding halfvec, filters jsonb,
    most int, depth int, keyword_weight double precision, exact_below int, most_postings int,
    k1 double precision, b double precision)
RETURNS TABLE (
    key text, ordinal int, text text, tokens int, start_offset int, marks jsonb,
    version text, title text, content_type text, last_modified timestamptz, metadata jsonb,
    score double precision, vector_rank bigint, cosine double precision,
    keyword_rank bigint, keyword_score double precision, coverage double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    total double precision;
    mean double precision;
    spoken text[];
    terms bigint[];
    chunks_with bigint[];
    words bigint[];
    worth double precision[];
    frequencies bigint[];
BEGIN
    SELECT greatest(sum(c.chunks), 1), greatest(sum(c.length) / greatest(sum(c.chunks), 1), 1) INTO total, mean
    FROM bucketwise.corpus_changes c WHERE c.tenant = for_tenant;
    spoken := ARRAY(SELECT l.language FROM bucketwise.tenant_languages l WHERE l.tenant = for_tenant) || '*'::text;
    SELECT array_agg(f.term), array_agg(f.chunks) INTO terms, chunks_with
    FROM (
        SELECT p.term, sum(p.chunks)::bigint AS chunks FROM bucketwise.postings p
        WHERE p.tenant = for_tenant AND p.term = ANY(ARRAY(
              SELECT DISTINCT q.term FROM unnest(of_languages, of_terms) AS q (language, term)
              WHERE q.language = ANY(spoken)))
        GROUP BY p.term) AS f
    WHERE f.chunks > 0;
    SELECT array_agg(f.term ORDER BY f.chunks, f.term),
        array_agg(bucketwise.inverse_frequency(total, f.chunks) ORDER BY f.chunks, f.term),
        array_agg(f.chunks ORDER BY f.chunks, f.term)
    INTO words, worth, frequencies FROM unnest(terms, chunks_with) AS f (term, chunks);
    RETURN QUERY
    WITH near AS MATERIALIZED (
        SELECT n.key, n.ordinal, n.cosine, row_number() OVER (ORDER BY n.cosine DESC, n.key, n.ordinal) AS rank
        FROM bucketwise.nearest(for_tenant, question_embedding, filters, depth, exact_below) n),
    found AS MATERIALIZED (
        SELECT m.key, m.ordinal, m.score, row_number() OVER (ORDER BY m.score DESC, m.key, m.ordinal) AS rank
        FROM bucketwise.best_by_words(
            for_tenant, words, worth, frequencies, mean, filters, depth, exact_below / 5, most_postings, k1, b) AS m
        WHERE words IS NOT NULL),
    scale AS (
        SELECT (SELECT min(cosine) FROM near) AS low, (SELECT max(cosine) FROM near) AS high,
               (SELECT max(score) FROM found) AS best),
    fused AS (
        SELECT key, ordinal, n.rank AS vector_rank, f.rank AS keyword_rank, f.score AS keyword_score,
            keyword_weight * coalesce(f.score / nullif(s.best, 0), 0)
            + (1 - keyword_weight) * coalesce((n.cosine - s.low) / nullif(s.high - s.low, 0),
                                              (n.cosine IS NOT NULL)::int) AS score
        FROM near n FULL JOIN found f USING (key, ordinal) CROSS JOIN scale s
        ORDER BY score DESC, key, ordinal LIMIT most),
    -- A word counts as what the rarest of its terms that there are is worth; one that no chunk has, the most.
    weighed AS MATERIALIZED (
        SELECT q.word, q.language, q.term,
            max(CASE WHEN f.chunks IS NOT NULL THEN bucketwise.inverse_frequency(total, f.chunks) END)
                OVER (PARTITION BY q.word, q.language) AS worth
        FROM unnest(of_words, of_languages, of_terms) AS q (word, language, term)
        LEFT JOIN unnest(terms, chunks_with) AS f (term, chunks) ON f.term = q.term)
    SELECT c.key, c.ordinal, c.text, c.tokens, c.start_offset, c.marks,
        d.version, d.title, d.content_type, d.last_modified, d.metadata,
        u.score, u.vector_rank, 1 - (e.embedding <=> question_embedding), u.keyword_rank, u.keyword_score,
        coalesce((
            SELECT sum(w.worth) FILTER (WHERE w.has) / nullif(sum(w.worth), 0)
            FROM (
                SELECT coalesce(max(g.worth), bucketwise.inverse_frequency(total, 0)) AS worth,
                    bool_or(c.terms[width_bucket(g.term << 8 | 255, c.terms)] >> 8 = g.term) AS has
                FROM weighed g WHERE g.language IN ('*', d.language) GROUP BY g.word) AS w), 0)
    FROM fused u
    JOIN bucketwise.chunks c ON c.tenant = for_tenant AND c.key = u.key AND c.ordinal = u.ordinal
    JOIN bucketwise.documents d ON d.tenant = for_tenant AND d.key = u.key
    JOIN bucketwise.embeddings e ON e.tenant = for_tenant AND e.text_sha256 = c.text_sha256
    ORDER BY u.score DESC, u.key, u.ordinal;
END
$$;

-- As an ask function of the version before calls it: by vectors alone.
CREATE OR REPLACE FUNCTION bucketwise.search(
    for_tenant text, question text, question_embedding halfvec, filters jsonb,
    most int, depth int, keyword_weight double precision, exact_below int)
RETURNS TABLE (
    key text, ordinal int, text text, tokens int, start_offset int, marks jsonb,
    version text, title text, content_type text, last_modified timestamptz, metadata jsonb,
    score double precision, vector_rank bigint, cosine double precision,
    keyword_rank bigint, keyword_score double precision, coverage double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $$
    SELECT * FROM bucketwise.hybrid_search(
        for_tenant, '{}', '{}', '{}', question_embedding, filters, most, depth, 0, exact_below,
        0, 0.9, 0.4)
$$;
DROP FUNCTION bucketwise.any_of(text[]);
