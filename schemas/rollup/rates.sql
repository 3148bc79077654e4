-- One row per tenant, kind of call in the batch and start of validity. Kinds without a price stay: a pool may serve them.
INSERT INTO rollup_rates
WITH
    (
        SELECT groupArray((toString(commitment), kind = 'spend', CAST(mapKeys(weights), 'Array(String)'), valid_from, valid_to))
        FROM commitments FINAL
        WHERE rating_run = {run:String}
    ) AS promised,
    resolved AS (
        SELECT
            tenant,
            rate_key,
            catalogue,
            rate_provider,
            rate_model,
            rate_context,
            is_exact,
            pool,
            commitments
        FROM model_resolution FINAL
        WHERE rating_run = {run:String}
            AND (tenant, rate_key) IN (
                SELECT
                    tenant,
                    rate_key
                FROM llm_calls
                WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
                UNION ALL
                SELECT
                    tenant,
                    rate_key
                FROM rollup_responses
            )
    ),
    listed AS (
        SELECT
            catalogue,
            provider,
            model,
            context,
            valid_from,
            units,
            is_own,
            per,
            tiers,
            times,
            prices,
            list_prices
        FROM price_rates FINAL
        WHERE (catalogue, provider, model, context) IN (SELECT catalogue, rate_provider, rate_model, rate_context FROM resolved)
    ),
    pools AS (
        SELECT
            tenant,
            pool,
            valid_from,
            valid_to
        FROM capacity_pools FINAL
        WHERE rating_run = {run:String}
    )
SELECT
    toUInt32(rowNumberInAllBlocks() + 1),
    resolved.tenant,
    resolved.rate_key,
    listed.valid_from,
    listed.units,
    -- A price of another model, or of another tier of service, is nobody's own.
    arrayMap(is_own -> is_own AND resolved.is_exact, listed.is_own),
    listed.per,
    listed.tiers,
    listed.times,
    listed.prices,
    if(empty(listed.list_prices), listed.prices, listed.list_prices),
    resolved.pool,
    ifNull(pools.valid_from, toDateTime(0)),
    ifNull(pools.valid_to, toDateTime(4294967295)),
    arrayMap(id -> arrayFirst(one -> one.1 = id, promised), resolved.commitments)
FROM resolved
LEFT JOIN listed
    ON listed.catalogue = resolved.catalogue
    AND listed.provider = resolved.rate_provider
    AND listed.model = resolved.rate_model
    AND listed.context = resolved.rate_context
LEFT JOIN pools ON pools.tenant = resolved.tenant AND pools.pool = resolved.pool
