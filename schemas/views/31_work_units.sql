-- One row per piece of work: how often it was run, what that cost, and what of it was rework: all runs but the last.
-- A trace that works on several pieces is shared between them equally.
CREATE OR REPLACE VIEW work_units AS
WITH
    run AS (
        SELECT
            tenant,
            work_unit,
            trace_id,
            min(started_at) AS began_at
        FROM work_unit_runs FINAL
        GROUP BY
            tenant,
            work_unit,
            trace_id
    ),
    costed AS (
        SELECT
            run.tenant AS tenant,
            run.work_unit AS work_unit,
            run.trace_id AS trace_id,
            run.began_at AS began_at,
            count() OVER (PARTITION BY run.tenant, run.trace_id) AS pieces,
            toDecimal128(
                roundBankers(divideDecimal(toDecimal256(trace.total, 18), toDecimal256(pieces, 0), 36), 18),
                18
            ) AS cost,
            trace.status AS status,
            trace.currency AS currency
        FROM run
        LEFT JOIN trace_outcomes AS trace ON trace.tenant = run.tenant AND trace.trace_id = run.trace_id
    )
SELECT
    tenant,
    work_unit,
    count() AS runs,
    min(began_at) AS first_run_at,
    max(began_at) AS last_run_at,
    argMax(trace_id, (began_at, trace_id)) AS last_trace,
    arrayFilter(each -> each != last_trace, arraySort(groupArray(trace_id))) AS superseded,
    if(argMax(status, (began_at, trace_id)) AS last_status = '', 'unknown', last_status) AS status,
    sum(cost) AS total,
    sum(cost) - argMax(cost, (began_at, trace_id)) AS rework,
    max(currency) AS currency
FROM costed
GROUP BY
    tenant,
    work_unit
SETTINGS join_use_nulls = 0
