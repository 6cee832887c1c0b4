-- More than one kind of vectors, so that an index can go over to another embedding model while it is in use.
-- The live kind is the one that index_settings names, and its table is called embeddings; the table of any
-- other kind is called embeddings_<id>. To go over is to rename two tables in one transaction.
CREATE TABLE bucketwise.embedding_sets (
    id              int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    embedding_model text NOT NULL,
    dimensions      int NOT NULL,
    vector_index    text NOT NULL,
    UNIQUE (embedding_model, dimensions)
);
INSERT INTO bucketwise.embedding_sets (embedding_model, dimensions, vector_index)
SELECT embedding_model, dimensions, vector_index FROM bucketwise.index_settings;

-- Whether vectors of this kind are here, live or not: a function that is set to a kind that is not live yet, or
-- not any more, works with the live one.
CREATE FUNCTION bucketwise.holds_kind(model text, size int) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM bucketwise.embedding_sets s WHERE s.embedding_model = model AND s.dimensions = size);
END;

-- By a name of its own: going over moves it to the other table.
ALTER TABLE bucketwise.chunks RENAME CONSTRAINT chunks_tenant_text_sha256_fkey TO chunks_have_vectors;
