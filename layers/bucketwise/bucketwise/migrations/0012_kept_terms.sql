-- Of a document that is stored anew, a chunk that has the very terms of one that it replaces takes over its number, and
-- so its postings: they stay as they are, and only what changed is appended.

-- As add_terms, but for the chunks whose numbers are `kept`, which have their postings.
CREATE FUNCTION bucketwise.append_terms(for_tenant text, for_key text, in_language text, kept bigint[]) RETURNS void
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
    WHERE c.tenant = for_tenant AND c.key = for_key AND NOT EXISTS (SELECT FROM unnest(kept) AS k WHERE k = c.number)
    GROUP BY t >> 8;
END;
