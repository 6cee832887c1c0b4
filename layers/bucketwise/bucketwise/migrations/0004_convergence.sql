-- What lets the index converge to the bucket whatever is lost, repeated or cut short.

-- From S3's storing of the object to its commit, in seconds: what an uploader waits for.
ALTER TABLE bucketwise.documents ADD COLUMN seconds_to_searchable double precision;

-- What the file says of itself, and which of its pages or parts are missing, and why.
ALTER TABLE bucketwise.documents
    ADD COLUMN author text,
    ADD COLUMN skipped text[] NOT NULL DEFAULT '{}';

-- The looks at an object that have begun and are not known to have ended. A row that outlives `over_by`, when
-- its worker's time was up at the latest, stands for a worker that was lost. `object` names the version.
CREATE TABLE bucketwise.attempts (
    tenant  text NOT NULL,
    key     text COLLATE "C" NOT NULL,
    claim   bigint NOT NULL,
    object  text NOT NULL,
    over_by timestamptz NOT NULL,
    PRIMARY KEY (tenant, key, claim)
);

-- Objects that are queued to be looked at (again), as far as this side of the queue knows: those that were
-- put off, and those that a reconciliation found to differ.
CREATE TABLE bucketwise.waiting (
    tenant   text NOT NULL,
    key      text COLLATE "C" NOT NULL,
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    tries    int NOT NULL,
    reason   text NOT NULL,
    next_try timestamptz NOT NULL,
    PRIMARY KEY (tenant, key)
);

-- Texts that a document had once. Their vectors are collected as soon as no chunk refers to them; a vector
-- that no document had yet belongs to work under way, and is left alone for a day.
CREATE TABLE bucketwise.released_texts (
    tenant      text NOT NULL,
    key         text COLLATE "C" NOT NULL,
    text_sha256 bytea NOT NULL,
    released_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, key, text_sha256)
);

-- Where a reconciliation that ran out of time goes on: after this key of the bucket.
CREATE TABLE bucketwise.reconciliations (
    tenant      text PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    after_key   text COLLATE "C" NOT NULL DEFAULT '',
    looked_at   bigint NOT NULL DEFAULT 0,
    differences bigint NOT NULL DEFAULT 0,
    drift       bigint  -- null in the pass that fills an empty index: nothing that it finds was missed
);
