-- One row per piece of work: how often it was run, what that cost and achieved, and what of it was rework: all runs but the last.
-- A trace that works on several pieces is shared between them equally, in whole units of the last place, those left over one each.
CREATE OR REPLACE VIEW work_units AS
WITH
    toInt256(1000000000000000000) AS unit,
    (SELECT max(value) FROM rollup_state FINAL WHERE name = 'kept') AS kept,
    costed AS (
        SELECT
            run.tenant AS tenant,
            run.work_unit AS work_unit,
            run.trace_id AS trace_id,
            run.began_at AS began_at,
            run.is_superseded AS is_superseded,
            (run.began_at, run.trace_id) AS place,
            trace.trace_id != '' AS is_known,
            toString(trace.currency) AS own_currency,
            -- In one currency: a closed trace keeps that of the price book of its time.
            argMaxIf(own_currency, place, is_known) OVER of_work AS last_currency,
            arrayMap(
                whole -> intDiv(whole, run.pieces) + if(run.piece <= abs(whole % run.pieces), sign(whole), 0),
                [
                    toInt256(toDecimal256(trace.total, 18) * unit),
                    toInt256(toDecimal256(trace.estimated, 18) * unit),
                    toInt256(toDecimal256(ifNull(trace.value, 0), 18) * unit),
                    toInt256(trace.tokens)
                ]
            ) AS parts,
            multiIf(
                is_known, if(own_currency = last_currency, trace.coverage, 0),
                -- What is not there now has cost nothing, or is there no more.
                began_at < parseDateTimeBestEffortOrZero(kept, 'UTC'), 0,
                1
            ) AS coverage,
            ifNull(trace.reported_at, toDateTime64(0, 9)) AS reported_at,
            -- What was told before the work was done again says nothing of how that went.
            trace.reports > 0 AND (NOT is_superseded OR reported_at >= max(run.began_at) OVER of_work) AS is_told,
            if(is_told, (trace.status, isNotNull(trace.value), parts[3], trace.value_currency, reported_at), ('unknown', 0, 0, '', toDateTime64(0, 9))) AS told,
            (trace.team, trace.feature, trace.customer, trace.service, trace.project, trace.cost_center, trace.environment) AS attribution
        FROM trace_outcomes AS trace
        RIGHT JOIN runs_of_work AS run ON run.tenant = trace.tenant AND run.trace_id = trace.trace_id
        WINDOW of_work AS (PARTITION BY run.tenant, run.work_unit)
    ),
    summed AS (
        SELECT
            tenant,
            work_unit,
            arraySort(groupArray(trace_id)) AS traces,
            min(began_at) AS first_run_at,
            max(began_at) AS last_run_at,
            argMax(trace_id, place) AS last_trace,
            any(last_currency) AS currency,
            sumIf(parts[1], own_currency = last_currency) AS total,
            sumIf(parts[1], own_currency = last_currency AND is_superseded) AS rework,
            sumIf(parts[2], own_currency = last_currency) AS estimated,
            sum(parts[4]) AS tokens,
            min(costed.coverage) AS coverage,
            countIf(is_known) AS known_runs,
            argMax(told, (is_told, costed.reported_at, place)) AS told,
            argMinIf(attribution, place, is_known) AS attribution
        FROM costed
        GROUP BY
            tenant,
            work_unit
    )
SELECT
    tenant,
    work_unit,
    length(traces) AS runs,
    first_run_at,
    last_run_at,
    last_trace,
    arrayFilter(each -> each != last_trace, traces) AS superseded,
    told.1 AS status,
    toDecimal128(divideDecimal(toDecimal256(summed.total, 0), toDecimal256(unit, 0), 18), 18) AS total,
    toDecimal128(divideDecimal(toDecimal256(summed.rework, 0), toDecimal256(unit, 0), 18), 18) AS rework,
    currency,
    if(told.2, toDecimal128(divideDecimal(toDecimal256(told.3, 0), toDecimal256(unit, 0), 18), 18), NULL) AS value,
    told.4 AS value_currency,
    if(told.5 = toDateTime64(0, 9), NULL, told.5) AS reported_at,
    toDecimal128(divideDecimal(toDecimal256(summed.estimated, 0), toDecimal256(unit, 0), 18), 18) AS estimated,
    toInt64(summed.tokens) AS tokens,
    coverage,
    known_runs,
    traces,
    attribution.1 AS team,
    attribution.2 AS feature,
    attribution.3 AS customer,
    attribution.4 AS service,
    attribution.5 AS project,
    attribution.6 AS cost_center,
    attribution.7 AS environment
FROM summed
SETTINGS join_use_nulls = 0
