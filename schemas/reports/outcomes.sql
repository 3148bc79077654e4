-- One row per period, group, currency and maturity: how many pieces of work there were, what they cost, and what they achieved.
-- A piece of work is what workflows call so, with all traces that ran it; else a trace.
WITH
    ${worth} AS worth,
    unit AS (
        SELECT
            toDateTime64(first_run_at, 6, 'UTC') AS began_at,
            traces, status, total, rework, estimated, tokens, coverage, currency, value, value_currency, reported_at,
            team, feature, customer, project, cost_center, environment, service
        FROM work_units
        WHERE tenant = {tenant:String}
            AND known_runs > 0
        UNION ALL
        SELECT
            toDateTime64(started_at, 6, 'UTC') AS began_at,
            [trace_id] AS traces, status, total, 0 AS rework, estimated, toInt64(tokens) AS tokens, coverage, currency, value, value_currency, reported_at,
            team, feature, customer, project, cost_center, environment, service
        FROM trace_outcomes
        WHERE tenant = {tenant:String}
            -- Days are found without reading all of them.
            AND day BETWEEN toDate32({since:DateTime64(6)}, 'UTC') AND toDate32({until:DateTime64(6)}, 'UTC')
            AND trace_id NOT IN (SELECT trace_id FROM work_unit_runs WHERE tenant = {tenant:String})
    ),
    -- Nothing is read where nobody asks for it.
    called AS (
        SELECT
            trace_id,
            arraySort(groupUniqArray(toString(model))) AS models
        FROM call_costs FINAL
        WHERE has({by:Array(String)}, 'model')
            AND tenant = {tenant:String}
            AND kind = 'call'
            AND bearing
        GROUP BY trace_id
    ),
    -- All models that worked on it together: so each piece is of one group.
    modelled AS (
        SELECT
            traces,
            arrayStringConcat(arraySort(arrayDistinct(arrayFlatten(groupArray(called.models)))), ' + ') AS models
        FROM (SELECT DISTINCT traces, arrayJoin(traces) AS trace_id FROM unit WHERE has({by:Array(String)}, 'model')) AS worked
        INNER JOIN called ON called.trace_id = worked.trace_id
        GROUP BY traces
    ),
    known AS (
        SELECT
            multiIf(
                {per:String} = 'month', toDateTime64(toStartOfMonth(began_at, 'UTC'), 0, 'UTC'),
                {per:String} = 'day', toDateTime64(toStartOfDay(began_at, 'UTC'), 0, 'UTC'),
                toDateTime64(0, 0, 'UTC')
            ) AS period,
            map(
                'team', toString(team),
                'feature', toString(feature),
                'customer', customer,
                'project', toString(project),
                'cost_center', toString(cost_center),
                'environment', toString(environment),
                'service', toString(service),
                'model', modelled.models
            ) AS names,
            arrayMap(dimension -> names[dimension], {by:Array(String)}) AS group,
            toString(currency) AS currency,
            began_at < {mature:DateTime64(6)} AS is_mature,
            status = 'success' AS has_succeeded,
            status IN ('failure', 'partial', 'abandoned', 'escalated') AS has_failed,
            unit.total AS total,
            unit.rework AS rework,
            unit.estimated AS estimated,
            unit.tokens AS tokens,
            unit.coverage >= 1 AS is_whole,
            toString(value_currency) AS value_currency,
            -- Whoever does not know whether it succeeded knows no value of it, either.
            if(has_succeeded OR has_failed, unit.value, NULL) AS known_value,
            -- At the rate of when it was achieved. What is known of other currencies is what they are in that of the book, the first.
            multiIf(
                value_currency = currency, known_value,
                value_currency != '' AND currency = {currencies:Array(String)}[1], worth(known_value, value_currency, assumeNotNull(reported_at)),
                NULL
            ) AS value
        FROM unit
        LEFT JOIN modelled ON modelled.traces = unit.traces
        WHERE began_at >= {since:DateTime64(6)}
            AND began_at < {until:DateTime64(6)}
    )
SELECT
    period,
    group,
    currency,
    is_mature,
    count() AS units,
    countIf(has_succeeded) AS succeeded,
    countIf(has_failed) AS failed,
    sum(toDecimal256(known.total, 18)) AS total,
    sum(toDecimal256(known.rework, 18)) AS rework,
    sum(toDecimal256(known.estimated, 18)) AS estimated,
    sum(known.tokens) AS tokens,
    countIf(is_whole) AS whole,
    sum(toDecimal256(ifNull(known.value, 0), 18)) AS value,
    countIf(has_succeeded AND isNotNull(known.value)) AS valued,
    sumIf(toDecimal256(ifNull(known.value, 0), 18), has_succeeded) AS value_of_successes,
    sumMap(if(isNotNull(known_value) AND isNull(known.value), map(value_currency, toDecimal256(assumeNotNull(known_value), 18)), map())) AS others
FROM known
GROUP BY
    period,
    group,
    currency,
    is_mature
ORDER BY
    period,
    group,
    currency,
    is_mature
SETTINGS join_use_nulls = 0
