-- One row per response that the batch shares with its readers: its owner, and the usage that the latest complete reading told.
INSERT INTO rollup_responses
WITH
    ${worth} AS worth,
    mentioned AS (
        SELECT DISTINCT
            tenant,
            provider,
            response_id
        FROM rollup_spans
        WHERE dialect = 'tokentrace'
            AND scope IN ('call', 'retrieve')
            AND response_id != ''
            AND (tenant, provider, response_id) IN (SELECT tenant, provider, response_id FROM responses WHERE is_retrieved = 1)
    ),
    shared AS (
        SELECT
            tenant,
            provider,
            response_id,
            min(owner) AS first_owner
        FROM responses
        WHERE (tenant, provider, response_id) IN (SELECT tenant, provider, response_id FROM mentioned)
        GROUP BY
            tenant,
            provider,
            response_id
    ),
    readings AS (
        SELECT
            tenant,
            provider,
            response_id,
            argMax(
                (
                    usage_source,
                    tokens,
                    meters,
                    model,
                    rate_key,
                    reported_cost,
                    cost_reporter,
                    reported_currency,
                    billable != 'false' AND has({trusted:Array(String)}, cost_reporter),
                    delivered
                ),
                (notEmpty(tokens) OR notEmpty(meters), ended_at, trace_id, span_id)
            ) AS best
        FROM llm_calls FINAL
        WHERE (tenant, trace_id) IN (
            SELECT
                tenant,
                arrayJoin(traces)
            FROM retellings
            WHERE is_foreign = 0
                AND (tenant, response_id) IN (SELECT tenant, response_id FROM shared)
        )
            AND (tenant, provider, response_id) IN (SELECT tenant, provider, response_id FROM shared)
            AND dialect = 'tokentrace'
            AND scope = 'retrieve'
            AND part = 0
        GROUP BY
            tenant,
            provider,
            response_id
    )
SELECT
    shared.tenant,
    shared.first_owner.trace_id,
    shared.first_owner.span_id,
    readings.best.1,
    readings.best.2,
    readings.best.3,
    readings.best.4,
    readings.best.5,
    readings.best.6,
    readings.best.7,
    readings.best.8,
    readings.best.10,
    -- At the rate of the call, whenever it was read.
    if(readings.best.9, worth(readings.best.6, readings.best.8, shared.first_owner.started_at), NULL)
FROM shared
INNER JOIN readings USING (tenant, provider, response_id)
