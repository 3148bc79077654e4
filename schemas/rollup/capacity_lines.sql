-- One row per share of an allocated hour: whole units of 1e-18, the largest remainder first, ties by trace.
INSERT INTO capacity_lines
WITH
    pools AS (
        SELECT
            tenant,
            pool,
            kind,
            idle_policy,
            -- What nobody shares is of the team and the service that it is said to be of.
            if(match(team, '[*?]'), '', team) AS team,
            if(match(service, '[*?]'), '', service) AS service
        FROM capacity_pools FINAL
        WHERE rating_run = {run:String}
    ),
    hours AS (
        SELECT
            tenant,
            pool,
            hour,
            weight AS whole,
            toInt256(toDecimal256(used, 18) * toInt256(1000000000000000000)) AS used_pot,
            if(empty(idle_by_team), map('', idle), idle_by_team) AS idle_parts
        FROM capacity_hours FINAL
        WHERE (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
            AND version = {version:UInt64}
    ),
    calls AS (
        SELECT
            tenant,
            pool,
            hour,
            trace_id,
            span_id,
            part,
            sum(weight) AS call_weight,
            any(operation) AS operation,
            any(waste) AS waste,
            any(stream_end) AS stream_end,
            any(reasoning_visibility) AS reasoning_visibility,
            any(service) AS service,
            any(provider) AS provider,
            any(model) AS model,
            any(role) AS role,
            any(team) AS team,
            any(feature) AS feature,
            any(customer) AS customer,
            any(project) AS project,
            any(cost_center) AS cost_center,
            any(environment) AS environment,
            any(user) AS user,
            any(session) AS session,
            any(currency) AS currency
        FROM rollup_shares
        GROUP BY
            tenant,
            pool,
            hour,
            trace_id,
            span_id,
            part
        HAVING call_weight > 0
    ),
    carrying AS (
        SELECT
            calls.*,
            if(pools.idle_policy = 'reserved', calls.team, '') AS carried_by,
            sum(calls.call_weight) OVER (PARTITION BY calls.tenant, calls.pool, calls.hour, carried_by) AS carried_weight
        FROM calls
        INNER JOIN pools ON pools.tenant = calls.tenant AND pools.pool = calls.pool
        WHERE pools.idle_policy != 'none'
    ),
    parts AS (
        SELECT
            tenant,
            pool,
            hour,
            arrayJoin(arrayZip(mapKeys(idle_parts), mapValues(idle_parts))) AS part_of_idle
        FROM hours
    ),
    -- The idle rest goes to the calls of the hour, or of the team that has reserved it; where there is none, to nobody: a row
    -- of no trace.
    idle AS (
        SELECT
            parts.tenant AS tenant,
            parts.pool AS pool,
            parts.hour AS hour,
            parts.part_of_idle.1 AS reserved_by,
            toInt256(toDecimal256(parts.part_of_idle.2, 18) * toInt256(1000000000000000000)) AS pot,
            if(calls.trace_id = '', 1, calls.carried_weight) AS pot_whole,
            if(calls.trace_id = '', 1, calls.call_weight) AS share,
            calls.trace_id AS trace_id,
            calls.span_id AS span_id,
            calls.part AS part,
            if(calls.trace_id = '', pools.service, calls.service) AS service,
            calls.provider AS provider,
            calls.model AS model,
            calls.role AS role,
            multiIf(calls.trace_id != '', calls.team, reserved_by != '', reserved_by, pools.team) AS team,
            calls.feature AS feature,
            calls.customer AS customer,
            calls.project AS project,
            calls.cost_center AS cost_center,
            calls.environment AS environment,
            calls.user AS user,
            calls.session AS session,
            if(calls.currency = '', (SELECT any(currency) FROM rating_runs WHERE rating_run = {run:String}), calls.currency) AS currency,
            calls.operation AS operation,
            calls.waste AS waste,
            calls.stream_end AS stream_end,
            calls.reasoning_visibility AS reasoning_visibility,
            '' AS review_kind,
            if(pools.kind = 'fixed', 'fixed', 'idle') AS kind,
            if(pools.kind = 'fixed', 'platform', 'gpu_idle') AS unit,
            -- Several teams may have a row of no trace.
            if(calls.trace_id = '', reserved_by, '') AS segment,
            toDecimal64(1, 6) AS quantity
        FROM parts
        LEFT JOIN carrying AS calls
            ON calls.tenant = parts.tenant
            AND calls.pool = parts.pool
            AND calls.hour = parts.hour
            AND calls.carried_by = parts.part_of_idle.1
        LEFT JOIN pools ON pools.tenant = parts.tenant AND pools.pool = parts.pool
    ),
    claimed AS (
        SELECT
            idle.*,
            arrayFirstIndex(claim -> claim > 0, [${components: greatest({claimed}, 0)}]) AS first_claim,
            [${components: '{name}'}][first_claim] AS component,
            [${components: {sub_component}}][first_claim] AS sub_component
        FROM idle
    ),
    shares AS (
        SELECT
            tenant,
            pool,
            hour,
            reserved_by,
            pot,
            pot_whole,
            share,
            trace_id,
            span_id,
            part,
            kind,
            component,
            sub_component,
            unit,
            segment,
            toDecimal64(0, 6) AS quantity,
            service,
            provider,
            model,
            role,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            user,
            session,
            currency
        FROM claimed
        UNION ALL
        SELECT
            used.tenant,
            used.pool,
            used.hour,
            '',
            hours.used_pot,
            hours.whole,
            used.weight,
            used.trace_id,
            used.span_id,
            used.part,
            'used',
            used.component,
            used.sub_component,
            used.unit,
            used.segment,
            used.quantity,
            used.service,
            used.provider,
            used.model,
            used.role,
            used.team,
            used.feature,
            used.customer,
            used.project,
            used.cost_center,
            used.environment,
            used.user,
            used.session,
            used.currency
        FROM rollup_shares AS used
        INNER JOIN hours ON hours.tenant = used.tenant AND hours.pool = used.pool AND hours.hour = used.hour
        WHERE used.weight > 0
    ),
    split AS (
        SELECT
            shares.*,
            intDiv(pot * share, pot_whole) AS units,
            pot - sum(intDiv(pot * share, pot_whole)) OVER (PARTITION BY tenant, pool, hour, kind, reserved_by) AS left_over,
            row_number() OVER (
                PARTITION BY tenant, pool, hour, kind, reserved_by
                ORDER BY (pot * share) % pot_whole DESC, trace_id, span_id, part, component, sub_component, unit, segment
            ) AS place
        FROM shares
    )
SELECT
    tenant,
    hour,
    pool,
    trace_id,
    span_id,
    part,
    kind,
    component,
    sub_component,
    unit,
    segment,
    '' AS review_trace_id,
    '' AS review_span_id,
    quantity,
    toDecimal128(divideDecimal(toDecimal256(units + (place <= left_over), 0), toDecimal256(1000000000000000000, 0), 18), 18) AS money,
    NULL,
    NULL,
    1,
    service,
    provider,
    model,
    role,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    currency,
    {run:String},
    {version:UInt64},
    0
FROM split
WHERE money > 0
