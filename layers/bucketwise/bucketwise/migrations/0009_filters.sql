-- Filters as deep as they come: what names columns apart, which an index may serve, and all else as one SQL/JSON path.

-- What the file says of itself counts as metadata where the object and its sidecar do not have that name.
-- `condition` is a predicate on an object of key, content_type, modified (seconds since 1970) and metadata. `metadata`,
-- which the document's must contain, is what an ask function of the version before sends.
CREATE OR REPLACE FUNCTION bucketwise.document_matches(document bucketwise.documents, filters jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN (filters ->> 'prefix' IS NULL OR starts_with((document).key, filters ->> 'prefix')
            AND (right(filters ->> 'prefix', 1) = '/' OR (document).key = filters ->> 'prefix'
                 OR substr((document).key, length(filters ->> 'prefix') + 1, 1) = '/'))
    AND (filters ->> 'key' IS NULL OR (document).key = filters ->> 'key')
    AND (filters ->> 'content_type' IS NULL OR (document).content_type = filters ->> 'content_type')
    AND (filters ->> 'modified_from' IS NULL
         OR (document).last_modified >= (filters ->> 'modified_from')::timestamptz)
    AND (filters ->> 'modified_before' IS NULL
         OR (document).last_modified < (filters ->> 'modified_before')::timestamptz)
    AND (filters -> 'metadata' IS NULL OR (document).metadata @> (filters -> 'metadata'))
    AND (filters ->> 'condition' IS NULL OR coalesce(jsonb_path_match(
            jsonb_build_object(
                'key', (document).key, 'content_type', (document).content_type,
                'modified', extract(epoch FROM (document).last_modified),
                'metadata', jsonb_strip_nulls(jsonb_build_object(
                    'title', (document).title, 'author', (document).author,
                    'created', to_char((document).created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                    'modified', to_char((document).modified AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
                    || (document).metadata),
            (filters ->> 'condition')::jsonpath, silent => true), false));
