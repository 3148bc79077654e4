-- One row: whether other prices can be tried on what the books hold alone, and the calls there; and when they took place.
WITH
    booked AS (
        SELECT
            count() AS calls,
            -- What a call was said to have cost, or a fee per request, adds lines, and takes some away.
            countIf(
                rate_key = 0
                OR has(lines.unit, 'requests')
                OR (isNotNull(reported_cost) AND has({trusted:Array(String)}, cost_reporter))
            ) AS others
        FROM call_costs FINAL
    ),
    unknown AS (
        SELECT count() AS keys
        FROM (SELECT DISTINCT tenant, rate_key FROM call_costs FINAL)
        WHERE (tenant, rate_key) NOT IN (SELECT tenant, rate_key FROM model_resolution WHERE rating_run = {before:String})
    )
SELECT
    (SELECT calls FROM booked) > 0
        AND (SELECT others FROM booked) = 0
        AND (SELECT keys FROM unknown) = 0
        -- Reviews that several requests share are shared out batch by batch.
        AND (SELECT count() FROM reviewed) = 0 AS is_possible,
    toString((SELECT min(since) FROM trace_extents)) AS since,
    toString((SELECT max(until) FROM trace_extents)) AS until,
    (SELECT uniqExact(tenant, trace_id) FROM llm_calls) AS traces,
    (SELECT count() FROM llm_calls FINAL WHERE convention = 'unknown') AS unread
