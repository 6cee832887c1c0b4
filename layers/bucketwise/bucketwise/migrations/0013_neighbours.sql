-- Stretches of documents around passages that were found.

-- The chunks of one tenant from `firsts[i]` to `lasts[i]` (their ordinals) of `of_keys[i]`, with the version that they
-- are of: all of one snapshot, so those of one document are of one version of it.
CREATE FUNCTION bucketwise.neighbours(for_tenant text, of_keys text[], firsts int[], lasts int[])
RETURNS TABLE (key text, ordinal int, text text, tokens int, start_offset int, marks jsonb, version text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.key, c.ordinal, c.text, c.tokens, c.start_offset, c.marks, d.version
    FROM unnest(of_keys, firsts, lasts) AS w (key, first, last)
    JOIN bucketwise.documents d ON d.tenant = for_tenant AND d.key = w.key
    JOIN bucketwise.chunks c ON c.tenant = for_tenant AND c.key = w.key AND c.ordinal BETWEEN w.first AND w.last;
END
$$;
