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
        GRANT SELECT, INSERT ON bucketwise.embeddings TO bucketwise_ingest;
        GRANT INSERT ON bucketwise.corpus_changes TO bucketwise_ingest;
        GRANT EXECUTE ON FUNCTION bucketwise.index_kind TO bucketwise_ingest;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bucketwise_ask') THEN
        GRANT USAGE ON SCHEMA bucketwise TO bucketwise_ask;
        GRANT EXECUTE ON FUNCTION bucketwise.index_kind, bucketwise.corpus_version, bucketwise.search,
            bucketwise.documents_page TO bucketwise_ask;
    END IF;
END
$$;
