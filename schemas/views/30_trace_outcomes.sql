-- One row per trace: what it achieved, as it was last reported, beside what it cost. What nobody reported is unknown, not failed.
CREATE OR REPLACE VIEW trace_outcomes AS
WITH latest AS (
    SELECT
        tenant,
        trace_id,
        -- A correction stands for the whole of what it corrects, also where it says less.
        argMax((status, value, currency, units, unit_name), (reported_at, span_id)) AS told,
        max(reported_at) AS last_reported_at,
        count() AS reports
    FROM outcomes FINAL
    GROUP BY
        tenant,
        trace_id
)
SELECT
    trace.tenant AS tenant,
    trace.day AS day,
    trace.trace_id AS trace_id,
    trace.root_name AS root_name,
    trace.team AS team,
    trace.feature AS feature,
    trace.customer AS customer,
    trace.session AS session,
    if(latest.reports = 0, 'unknown', latest.told.1) AS status,
    latest.told.2 AS value,
    latest.told.3 AS value_currency,
    latest.told.4 AS units,
    latest.told.5 AS unit_name,
    if(latest.reports = 0, NULL, latest.last_reported_at) AS reported_at,
    latest.reports AS reports,
    trace.total AS total,
    trace.currency AS currency,
    trace.coverage AS coverage,
    trace.started_at AS started_at,
    trace.service AS service,
    trace.project AS project,
    trace.cost_center AS cost_center,
    trace.environment AS environment,
    trace.estimated AS estimated,
    arraySum(mapValues(trace.tokens)) AS tokens
FROM tcoai_by_trace AS trace FINAL
LEFT JOIN latest ON latest.tenant = trace.tenant AND latest.trace_id = trace.trace_id
SETTINGS join_use_nulls = 0
