-- The index: what is known of each object of the bucket, its chunks, and the vectors of their texts.
-- Needs the extension "vector", which only a superuser (on Aurora: rds_superuser) may create; all else
-- is made by the role that runs this file. The settings bucketwise.dimensions and
-- bucketwise.embedding_model are set by the caller for this transaction.

-- One row: what the vectors of this index were made with. Vectors of two models never mix.
CREATE TABLE bucketwise.index_settings (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    embedding_model text NOT NULL,
    dimensions      int NOT NULL
);
INSERT INTO bucketwise.index_settings (embedding_model, dimensions)
VALUES (current_setting('bucketwise.embedding_model'), current_setting('bucketwise.dimensions')::int);

-- A claim is taken before the bucket is read, so a higher claim has seen a state at least as new.
-- CACHE 1: with a larger cache, sessions would hand out numbers out of order.
CREATE SEQUENCE bucketwise.claims AS bigint CACHE 1;

-- Deleted objects keep their row as a tombstone: it holds the claim that fences off late writers.
-- COLLATE "C" is the order in which S3 lists keys.
CREATE TABLE bucketwise.documents (
    tenant           text NOT NULL,
    key              text COLLATE "C" NOT NULL,
    claim            bigint NOT NULL,
    state            text NOT NULL CHECK (state IN ('indexed', 'failed', 'deleted')),
    version          text,
    etag             text,
    size             bigint,
    content_type     text,
    last_modified    timestamptz,
    metadata         jsonb NOT NULL DEFAULT '{}',
    title            text,
    pages            int,
    fingerprint      text,
    reason           text,
    hint             text,
    chunks           int NOT NULL DEFAULT 0,
    tokens           bigint NOT NULL DEFAULT 0,
    embedded         int NOT NULL DEFAULT 0,
    reused           int NOT NULL DEFAULT 0,
    embedding_tokens bigint NOT NULL DEFAULT 0,
    cost_usd         double precision,
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, key),
    CHECK ((state = 'failed') = (reason IS NOT NULL))
);
CREATE INDEX documents_by_state ON bucketwise.documents (tenant, state, key);

-- Content-addressed: one vector for one text of one tenant, whichever documents hold the text. The model
-- and the dimension are those of index_settings. The vector index stands here and not on the chunks, so
-- that a re-upload moves rows of chunks without touching HNSW.
DO $$
BEGIN
    EXECUTE format(
        'CREATE TABLE bucketwise.embeddings (
            tenant      text NOT NULL,
            text_sha256 bytea NOT NULL,
            embedding   halfvec(%s) NOT NULL,
            created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (tenant, text_sha256)
        )', current_setting('bucketwise.dimensions')::int);
END
$$;
CREATE INDEX embeddings_hnsw ON bucketwise.embeddings USING hnsw (embedding halfvec_cosine_ops);

-- The foreign key makes a commit fail, and be run again, if a vector that it counts on was collected.
CREATE TABLE bucketwise.chunks (
    tenant       text NOT NULL,
    key          text COLLATE "C" NOT NULL,
    ordinal      int NOT NULL,
    text_sha256  bytea NOT NULL,
    text         text NOT NULL,
    tokens       int NOT NULL,
    start_offset int NOT NULL,
    end_offset   int NOT NULL,
    marks        jsonb NOT NULL,
    headings     text NOT NULL,
    search       tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', headings), 'B') || to_tsvector('english', text)) STORED,
    PRIMARY KEY (tenant, key, ordinal),
    FOREIGN KEY (tenant, key) REFERENCES bucketwise.documents (tenant, key),
    FOREIGN KEY (tenant, text_sha256) REFERENCES bucketwise.embeddings (tenant, text_sha256)
);
CREATE INDEX chunks_by_text ON bucketwise.chunks (tenant, text_sha256);
CREATE INDEX chunks_search ON bucketwise.chunks USING gin (search);

-- A tenant's corpus version is the sum of its deltas. A counter row would make every two commits of a
-- tenant wait for each other; appended rows do not, and a job may fold them into one at any time.
CREATE TABLE bucketwise.corpus_changes (
    tenant text NOT NULL,
    delta  bigint NOT NULL
);
CREATE INDEX corpus_changes_by_tenant ON bucketwise.corpus_changes (tenant) INCLUDE (delta);

CREATE FUNCTION bucketwise.corpus_version(for_tenant text) RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(delta), 0)::bigint FROM bucketwise.corpus_changes WHERE tenant = for_tenant);
