-- What describes a document: what the file says of itself, and an object beside it.

-- sidecar: the eTag of <key>.metadata.json as it was taken in. read_as: the kind of file, by its content.
ALTER TABLE bucketwise.documents
    ADD COLUMN sidecar text,
    ADD COLUMN created timestamptz,
    ADD COLUMN modified timestamptz,
    ADD COLUMN read_as text;
CREATE INDEX documents_by_sidecar ON bucketwise.documents (tenant, (key || '.metadata.json')) WHERE sidecar IS NOT NULL;

-- Not headings alone any more, but also the document's title and the words of its key.
ALTER TABLE bucketwise.chunks RENAME COLUMN headings TO context;

-- Sidecars that the version before took for documents.
DELETE FROM bucketwise.chunks WHERE key LIKE '%_.metadata.json' AND key NOT LIKE '%/.metadata.json';
UPDATE bucketwise.documents
SET state = 'deleted', reason = NULL, hint = NULL, metadata = '{}', chunks = 0, tokens = 0
WHERE key LIKE '%_.metadata.json' AND key NOT LIKE '%/.metadata.json' AND state <> 'deleted';

DROP FUNCTION bucketwise.documents_page(text, text, text, text, text, int, boolean);

-- A page of one tenant's documents in the order of their keys, after `after_key`, or the one with `only_key`.
-- A row with claim 0 is a document that nothing was committed of yet. A key that is only waiting is "queued",
-- and shown `with_queued`: an ask function of an early version does not know that state.
CREATE FUNCTION bucketwise.documents_page(
    for_tenant text, only_key text, key_prefix text, in_state text, after_key text, most int,
    with_queued boolean DEFAULT false)
RETURNS TABLE (
    key text, state text, reason text, hint text, version text, size bigint, content_type text,
    last_modified timestamptz, metadata jsonb, title text, pages int, chunks int, tokens bigint, embedded int,
    reused int, embedding_tokens bigint, cost_usd double precision, seconds_to_searchable double precision,
    updated_at timestamptz, waiting jsonb, author text, skipped text[], created timestamptz, modified timestamptz,
    read_as text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH held AS (
        SELECT d.key FROM bucketwise.documents d
        WHERE d.tenant = for_tenant AND d.claim > 0
          AND (only_key IS NULL OR d.key = only_key)
          AND starts_with(d.key, key_prefix)
          AND (in_state IS NULL OR d.state = in_state)
          AND d.key > after_key
        ORDER BY d.key LIMIT most),
    listed AS (
        SELECT w.key FROM bucketwise.waiting w
        WHERE with_queued AND w.tenant = for_tenant
          AND (only_key IS NULL OR w.key = only_key)
          AND starts_with(w.key, key_prefix)
          AND (in_state IS NULL OR in_state = 'queued' AND NOT EXISTS (
                  SELECT FROM bucketwise.documents d WHERE d.tenant = w.tenant AND d.key = w.key AND d.claim > 0))
          AND w.key > after_key
        ORDER BY w.key LIMIT most),
    page AS (
        SELECT h.key FROM held h UNION SELECT l.key FROM listed l ORDER BY key LIMIT most)
    SELECT p.key, coalesce(d.state, 'queued'), d.reason, d.hint, d.version, d.size, d.content_type,
        d.last_modified, coalesce(d.metadata, '{}'), d.title, d.pages, coalesce(d.chunks, 0), coalesce(d.tokens, 0),
        coalesce(d.embedded, 0), coalesce(d.reused, 0), coalesce(d.embedding_tokens, 0), d.cost_usd,
        d.seconds_to_searchable, d.updated_at,
        CASE WHEN w.key IS NOT NULL THEN jsonb_build_object(
            'since', w.since, 'tries', w.tries, 'reason', w.reason, 'next_try', w.next_try) END,
        d.author, coalesce(d.skipped, '{}'), d.created, d.modified, d.read_as
    FROM page p
    LEFT JOIN bucketwise.documents d ON d.tenant = for_tenant AND d.key = p.key AND d.claim > 0
    LEFT JOIN bucketwise.waiting w ON w.tenant = for_tenant AND w.key = p.key
    ORDER BY p.key;
END
$$;
