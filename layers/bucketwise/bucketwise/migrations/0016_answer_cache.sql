-- Answers and vectors of questions, kept for whoever asks the same again.

-- An answer holds for the corpus version that it was found in, and for no other. `fingerprint` is a digest of all that
-- shapes it. `json` and not `jsonb`: it is given back as it came, and what models write may hold characters that
-- jsonb refuses.
CREATE TABLE bucketwise.cached_answers (
    tenant         text NOT NULL,
    fingerprint    bytea NOT NULL,
    corpus_version bigint NOT NULL,
    answer         json NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, fingerprint)
);

-- The documents that an answer holds words of. Whoever changes its rows here has locked the answer's row.
CREATE TABLE bucketwise.cached_answer_sources (
    tenant      text NOT NULL,
    key         text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (tenant, key, fingerprint),
    FOREIGN KEY (tenant, fingerprint) REFERENCES bucketwise.cached_answers (tenant, fingerprint) ON DELETE CASCADE
);
CREATE INDEX cached_answer_sources_by_answer ON bucketwise.cached_answer_sources (tenant, fingerprint);

-- A question itself is not kept, only its digest and its vector.
CREATE TABLE bucketwise.cached_questions (
    tenant          text NOT NULL,
    text_sha256     bytea NOT NULL,
    embedding_model text NOT NULL,
    dimensions      int NOT NULL,
    vector          halfvec NOT NULL,
    tokens          int NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, text_sha256)
) WITH (toast_tuple_target = 8160);

-- One row: the tenant's corpus version; the answer, if it was found in that version and is younger than `most_seconds`;
-- and if there is none, the question's vector. All of one snapshot. Nothing is found for a kind of vectors that is not
-- live: another one would find other passages.
CREATE FUNCTION bucketwise.cached(
    for_tenant text, for_fingerprint bytea, most_seconds double precision, question_sha256 bytea, model text, size int)
RETURNS TABLE (current_version bigint, answer json, question_vector halfvec, question_tokens int)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.now, a.answer, CASE WHEN a.answer IS NULL THEN q.vector END, CASE WHEN a.answer IS NULL THEN q.tokens END
    FROM bucketwise.corpus_version(for_tenant) AS v (now)
    LEFT JOIN bucketwise.index_settings i ON i.embedding_model = model AND i.dimensions = size
    LEFT JOIN bucketwise.cached_answers a
        ON i.only_row AND a.tenant = for_tenant AND a.fingerprint = for_fingerprint
        AND a.corpus_version = v.now AND a.created_at > now() - make_interval(secs => most_seconds)
    LEFT JOIN bucketwise.cached_questions q
        ON i.only_row AND q.tenant = for_tenant AND q.text_sha256 = question_sha256
        AND q.embedding_model = model AND q.dimensions = size;
END
$$;

-- Keeps an answer that was found in the corpus version `found_in`; whether it did. It does not if that is the version no
-- more, or one of its sources is not indexed in the version that is named here.
-- A change of a source locks that document's row, and having it, deletes the answers that it finds (see ingest's swap).
-- Here the sources' rows are locked too, against changes and not against each other. So either the change comes later,
-- and finds the answer; or it came before, and is seen here; or it is under way, and then nothing is kept.
-- With sources locked, nothing is waited for but the answer's own row, and not for long: who waited for one source's
-- change would have those of the others wait for it too.
CREATE FUNCTION bucketwise.keep_answer(
    for_tenant text, for_fingerprint bytea, found_in bigint, given json, source_keys text[], source_versions text[])
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
SET lock_timeout = '20ms'
AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);  -- a kept answer that a crash takes away costs a new one
    IF (SELECT count(*) FROM (
            SELECT FROM unnest(source_keys, source_versions) AS s (key, version)
            JOIN bucketwise.documents d ON d.tenant = for_tenant AND d.key = s.key
            WHERE d.state = 'indexed' AND d.version IS NOT DISTINCT FROM s.version
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

CREATE FUNCTION bucketwise.keep_question(
    for_tenant text, question_sha256 bytea, model text, size int, given halfvec, paid_tokens int) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
BEGIN ATOMIC
    SELECT set_config('synchronous_commit', 'off', true);
    INSERT INTO bucketwise.cached_questions (tenant, text_sha256, embedding_model, dimensions, vector, tokens)
    VALUES (for_tenant, question_sha256, model, size, given, paid_tokens)
    ON CONFLICT (tenant, text_sha256) DO UPDATE SET
        embedding_model = EXCLUDED.embedding_model, dimensions = EXCLUDED.dimensions, vector = EXCLUDED.vector,
        tokens = EXCLUDED.tokens, created_at = EXCLUDED.created_at;
END;
