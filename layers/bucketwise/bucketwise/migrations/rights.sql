-- Run by the schema's owner after the numbered files, every time: who may do what. A function that is
-- added later is called by nobody but its owner until it is named here.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bucketwise FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bucketwise_ingest') THEN
        GRANT USAGE ON SCHEMA bucketwise TO bucketwise_ingest;
        GRANT USAGE ON SEQUENCE bucketwise.claims TO bucketwise_ingest;
        GRANT SELECT, INSERT, UPDATE ON bucketwise.documents TO bucketwise_ingest;
        GRANT SELECT, INSERT, DELETE ON bucketwise.chunks TO bucketwise_ingest;
        -- UPDATE on embeddings is for locking rows: none is ever changed.
        GRANT SELECT, INSERT, UPDATE, DELETE ON bucketwise.embeddings, bucketwise.released_texts TO bucketwise_ingest;
        GRANT SELECT, INSERT, DELETE ON bucketwise.corpus_changes, bucketwise.postings TO bucketwise_ingest;
        GRANT SELECT, INSERT ON bucketwise.tenant_languages TO bucketwise_ingest;
        GRANT USAGE ON SEQUENCE bucketwise.chunk_number_blocks TO bucketwise_ingest;
        GRANT EXECUTE ON FUNCTION bucketwise.add_terms, bucketwise.append_terms, bucketwise.fold_postings TO bucketwise_ingest;
        GRANT SELECT, INSERT, UPDATE, DELETE ON bucketwise.reconciliations TO bucketwise_ingest;
        GRANT SELECT, INSERT, UPDATE, DELETE ON bucketwise.attempts TO bucketwise_ingest;
        GRANT SELECT, INSERT, UPDATE, DELETE ON bucketwise.waiting TO bucketwise_ingest;
        GRANT SELECT ON bucketwise.embedding_sets TO bucketwise_ingest;
        -- UPDATE is for locking rows: ingest deletes what is cached, and makes none of it.
        GRANT SELECT, UPDATE, DELETE ON bucketwise.cached_answers, bucketwise.cached_questions TO bucketwise_ingest;
        GRANT SELECT ON bucketwise.cached_answer_sources TO bucketwise_ingest;
        GRANT EXECUTE ON FUNCTION bucketwise.corpus_version TO bucketwise_ingest;
        GRANT EXECUTE ON FUNCTION bucketwise.index_kind, bucketwise.holds_kind TO bucketwise_ingest;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bucketwise_ask') THEN
        GRANT USAGE ON SCHEMA bucketwise TO bucketwise_ask;
        GRANT EXECUTE ON FUNCTION bucketwise.index_kind, bucketwise.holds_kind, bucketwise.corpus_version, bucketwise.search,
            bucketwise.hybrid_search, bucketwise.search_both, bucketwise.search_relevant, bucketwise.keyword_leg,
            bucketwise.spoken_languages, bucketwise.documents_page, bucketwise.stored_for, bucketwise.held_version,
            bucketwise.neighbours, bucketwise.reserve_budget, bucketwise.settle_budget, bucketwise.cached,
            bucketwise.keep_answer, bucketwise.keep_question TO bucketwise_ask;
    END IF;
END
$$;
