-- The documents of one bucket may be of many tenants, and move from one to another.

-- Who keeps a document equal to its bucket: the tenant that the functions which wrote it are set to. Null in rows that
-- were written before, and there it is the document's own tenant.
ALTER TABLE bucketwise.documents ADD COLUMN home text;

-- In the order of a bucket's listing, whosever the documents are.
CREATE INDEX documents_by_home ON bucketwise.documents ((coalesce(home, tenant)), key);
DROP INDEX bucketwise.documents_by_sidecar;
CREATE INDEX documents_by_sidecar ON bucketwise.documents ((coalesce(home, tenant)), (key || '.metadata.json'))
    WHERE sidecar IS NOT NULL;
