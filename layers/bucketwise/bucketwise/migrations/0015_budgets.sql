-- What callers and tenants spend in a day, and whether they may spend more.

-- Parts of the sums of one day (UTC), reserved or spent; an empty caller stands for the whole tenant. Who adds to a sum adds
-- to a part that nobody else holds at the moment, and makes one if there is none: so nobody waits for anybody, and a sum has
-- no more parts than there were sessions at once.
CREATE TABLE bucketwise.spending (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    day date NOT NULL,
    caller bytea NOT NULL CHECK (octet_length(caller) IN (0, 32)),
    tokens bigint NOT NULL,
    usd numeric NOT NULL
) WITH (fillfactor = 50);  -- the rest of a page is for new versions of its rows
CREATE INDEX spending_of_a_day ON bucketwise.spending (tenant, day, caller);

-- Adds to a sum, or takes from it. Where that needs a new part, parts of days gone by are deleted, but not those of the last
-- one: a request that began before midnight may have yet to settle.
CREATE FUNCTION bucketwise.spend(for_tenant text, by_caller bytea, on_day date, more_tokens bigint, more_usd numeric)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $$
DECLARE
    found_number bigint;
BEGIN
    -- Until the end of the transaction: a server that crashes may forget the last moment's sums, and no request waits for a
    -- disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT s.number INTO found_number FROM bucketwise.spending s
    WHERE s.tenant = for_tenant AND s.day = on_day AND s.caller = by_caller
    LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
    -- A statement of its own, so that it sees what another session committed to the part just before.
    UPDATE bucketwise.spending s SET tokens = s.tokens + more_tokens, usd = s.usd + more_usd
    WHERE s.tenant = for_tenant AND s.number = found_number;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO bucketwise.spending (tenant, day, caller, tokens, usd)
    VALUES (for_tenant, on_day, by_caller, more_tokens, more_usd);
    DELETE FROM bucketwise.spending s
    WHERE s.tenant = for_tenant AND s.day < on_day - 1 AND s.number IN (
        SELECT o.number FROM bucketwise.spending o
        WHERE o.tenant = for_tenant AND o.day < on_day - 1
        LIMIT 100 FOR UPDATE SKIP LOCKED);
END
$$;

-- Adds a reservation to today's sums of a caller and of its tenant. If that would exceed a limit, it changes nothing and says
-- which: `scope` is caller or tenant, `unit` tokens or usd. A limit that is null is none. `day` is the one to settle on, and
-- `seconds_left` what is left of it. Sessions that reserve at the same moment do not see each other's reservations, so that
-- a limit may be exceeded by all of these but one.
CREATE FUNCTION bucketwise.reserve_budget(
    for_tenant text, by_caller bytea, more_tokens bigint, more_usd numeric,
    most_caller_tokens bigint, most_caller_usd numeric, most_tenant_tokens bigint, most_tenant_usd numeric)
RETURNS TABLE (day date, seconds_left int, scope text, unit text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    utc_now timestamp := clock_timestamp() AT TIME ZONE 'UTC';
    today date := utc_now::date;
BEGIN
    day := today;
    seconds_left := ceil(extract(epoch FROM today + 1 - utc_now));
    SELECT l.scope, l.unit INTO scope, unit
    FROM (
        SELECT coalesce(sum(s.tokens) FILTER (WHERE s.caller <> ''), 0) AS caller_tokens,
               coalesce(sum(s.usd) FILTER (WHERE s.caller <> ''), 0) AS caller_usd,
               coalesce(sum(s.tokens) FILTER (WHERE s.caller = ''), 0) AS tenant_tokens,
               coalesce(sum(s.usd) FILTER (WHERE s.caller = ''), 0) AS tenant_usd
        FROM bucketwise.spending s
        WHERE s.tenant = for_tenant AND s.day = today AND s.caller IN (by_caller, '')) AS spent
    CROSS JOIN LATERAL (VALUES
        (1, 'caller', 'tokens', spent.caller_tokens + more_tokens, most_caller_tokens::numeric),
        (2, 'caller', 'usd', spent.caller_usd + more_usd, most_caller_usd),
        (3, 'tenant', 'tokens', spent.tenant_tokens + more_tokens, most_tenant_tokens),
        (4, 'tenant', 'usd', spent.tenant_usd + more_usd, most_tenant_usd)) AS l (place, scope, unit, needed, most)
    WHERE l.needed > l.most
    ORDER BY l.place LIMIT 1;
    IF NOT FOUND THEN
        PERFORM bucketwise.spend(for_tenant, by_caller, today, more_tokens, more_usd);
        PERFORM bucketwise.spend(for_tenant, '', today, more_tokens, more_usd);
    END IF;
    RETURN NEXT;
END
$$;

-- Corrects a reservation by what was really spent: more, or less and then negative.
CREATE FUNCTION bucketwise.settle_budget(
    for_tenant text, by_caller bytea, on_day date, more_tokens bigint, more_usd numeric)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, bucketwise, public, pg_temp
AS $$
BEGIN
    PERFORM bucketwise.spend(for_tenant, by_caller, on_day, more_tokens, more_usd);
    PERFORM bucketwise.spend(for_tenant, '', on_day, more_tokens, more_usd);
END
$$;
