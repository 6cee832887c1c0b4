-- What an earlier look at a version came to, if it ended in order and is still to be known: until the version is committed.
-- Such a row never stands for a lost worker, also not for older code: it is over at no time.
ALTER TABLE bucketwise.attempts
    ADD COLUMN ended_at timestamptz,
    -- Nothing was left to it but to store the document, and there was too little time for that.
    ADD COLUMN stalled boolean NOT NULL DEFAULT false,
    ADD COLUMN embedded int NOT NULL DEFAULT 0,
    ADD COLUMN embedding_tokens bigint NOT NULL DEFAULT 0,
    ADD COLUMN cost_usd double precision DEFAULT 0;  -- null if the model has no listed price
