-- One row per share of a review in the batch that is of a session or of several requests: by items, in whole units of 1e-18
-- and whole seconds, the largest remainder first, ties by trace. What is of no request that has come, is of no trace.
INSERT INTO capacity_lines
WITH
    named AS (
        SELECT
            tenant,
            trace_id AS review_trace_id,
            span_id AS review_span_id,
            item.1 AS trace_id,
            sum(item.2) AS items
        FROM (
            SELECT
                tenant,
                trace_id,
                span_id,
                arrayJoin(arrayZip(mapKeys(reviewed), mapValues(reviewed))) AS item
            FROM llm_calls FINAL
            WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_lines WHERE is_shared)
                AND part = 0
        )
        GROUP BY
            tenant,
            review_trace_id,
            review_span_id,
            item.1
        HAVING items > 0
            AND trace_id != ''
    ),
    traces AS (
        SELECT
            tenant,
            trace_id
        FROM named
        UNION DISTINCT
        SELECT
            tenant,
            trace_id
        FROM rollup_lines
        WHERE is_shared
    ),
    -- Of those that came before the horizon, nothing else may be left.
    closed AS (
        SELECT
            tenant,
            trace_id,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            user,
            session
        FROM tcoai_by_trace FINAL
        WHERE (tenant, trace_id) IN (
                SELECT
                    tenant,
                    trace_id
                FROM trace_extents
                WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM traces)
                GROUP BY
                    tenant,
                    trace_id
                HAVING min(received) < {horizon:DateTime64(6)}
            )
    ),
    whose AS (
        SELECT
            tenant,
            trace_id,
            argMinIf(team, (started_at, span_id), team != '') AS team,
            argMinIf(feature, (started_at, span_id), feature != '') AS feature,
            argMinIf(customer, (started_at, span_id), customer != '') AS customer,
            argMinIf(project, (started_at, span_id), project != '') AS project,
            argMinIf(cost_center, (started_at, span_id), cost_center != '') AS cost_center,
            argMinIf(environment, (started_at, span_id), environment != '') AS environment,
            argMinIf(user, (started_at, span_id), user != '') AS user,
            argMinIf(session, (started_at, span_id), session != '') AS session
        FROM llm_calls FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM traces)
            AND (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM closed)
            AND part = 0
        GROUP BY
            tenant,
            trace_id
        UNION ALL
        SELECT
            tenant,
            trace_id,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            user,
            session
        FROM closed
    ),
    -- A review without a time has no line, and is one that nobody knows the cost of.
    drawn AS (
        SELECT
            tenant,
            toStartOfHour(ended_at) AS hour,
            trace_id AS review_trace_id,
            span_id AS review_span_id,
            service,
            provider,
            model,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            user,
            session,
            arrayJoin(if(empty(shared_lines), [('', '', '', 0, NULL, '')], shared_lines)) AS line,
            line.1 AS component,
            line.2 AS sub_component,
            line.3 AS unit,
            toInt256(toDecimal256(line.4, 6)) AS whole_seconds,
            toInt256(toDecimal256(ifNull(line.5, 0), 18) * toInt256(1000000000000000000)) AS pot,
            if(unit = '', isNotNull(seconds), isNotNull(line.5)) AS is_known
        FROM (
            SELECT
                tenant,
                trace_id,
                span_id,
                ended_at,
                service,
                provider,
                model,
                team,
                feature,
                customer,
                project,
                cost_center,
                environment,
                user,
                session,
                seconds,
                arrayFilter(
                    each -> each.6 = 'shared',
                    arrayZip(lines.component, lines.sub_component, lines.unit, lines.quantity, lines.amount, lines.status)
                ) AS shared_lines
            FROM rollup_lines
            WHERE is_shared
                AND ended_at >= {kept:DateTime}
        )
    ),
    weighed AS (
        SELECT
            drawn.*,
            named.trace_id AS named_trace,
            -- The session, where no request is named.
            toInt256(greatest(named.items, 1)) AS share,
            sum(share) OVER (PARTITION BY drawn.tenant, drawn.review_trace_id, drawn.review_span_id, component, sub_component, unit) AS whole
        FROM drawn
        LEFT JOIN named
            ON named.tenant = drawn.tenant
            AND named.review_trace_id = drawn.review_trace_id
            AND named.review_span_id = drawn.review_span_id
    ),
    split AS (
        SELECT
            weighed.*,
            intDiv(pot * share, whole) AS units,
            pot - sum(units) OVER of_line AS units_left,
            row_number() OVER (
                PARTITION BY tenant, review_trace_id, review_span_id, component, sub_component, unit
                ORDER BY (pot * share) % whole DESC, named_trace
            ) AS units_place,
            intDiv(whole_seconds * share, whole) AS seconds,
            whole_seconds - sum(seconds) OVER of_line AS seconds_left,
            row_number() OVER (
                PARTITION BY tenant, review_trace_id, review_span_id, component, sub_component, unit
                ORDER BY (whole_seconds * share) % whole DESC, named_trace
            ) AS seconds_place
        FROM weighed
        WINDOW of_line AS (PARTITION BY tenant, review_trace_id, review_span_id, component, sub_component, unit)
    ),
    -- A share is for whom its request is for, and not for who tells of the review; one of no request that is here, is the session's.
    placed AS (
        SELECT
            split.tenant AS tenant,
            split.hour AS hour,
            whose.trace_id AS trace_id,
            split.component AS component,
            split.sub_component AS sub_component,
            split.unit AS unit,
            split.review_trace_id AS review_trace_id,
            split.review_span_id AS review_span_id,
            split.units + (split.units_place <= split.units_left) AS units,
            split.seconds + (split.seconds_place <= split.seconds_left) AS seconds,
            split.is_known AS is_known,
            split.service AS service,
            split.provider AS provider,
            split.model AS model,
            multiIf(whose.trace_id != '', whose.team, split.team != '', split.team, own.team) AS team,
            multiIf(whose.trace_id != '', whose.feature, split.feature != '', split.feature, own.feature) AS feature,
            multiIf(whose.trace_id != '', whose.customer, split.customer != '', split.customer, own.customer) AS customer,
            multiIf(whose.trace_id != '', whose.project, split.project != '', split.project, own.project) AS project,
            multiIf(whose.trace_id != '', whose.cost_center, split.cost_center != '', split.cost_center, own.cost_center) AS cost_center,
            multiIf(whose.trace_id != '', whose.environment, split.environment != '', split.environment, own.environment) AS environment,
            multiIf(whose.trace_id != '', whose.user, split.user != '', split.user, own.user) AS user,
            multiIf(whose.trace_id != '' AND whose.session != '', whose.session, split.session != '', split.session, own.session) AS session
        FROM split
        LEFT JOIN whose ON whose.tenant = split.tenant AND whose.trace_id = split.named_trace
        LEFT JOIN whose AS own ON own.tenant = split.tenant AND own.trace_id = split.review_trace_id
    )
SELECT
    tenant,
    hour,
    '' AS pool,
    trace_id,
    '' AS span_id,
    0 AS part,
    'review_share' AS kind,
    component,
    sub_component,
    unit,
    '' AS segment,
    review_trace_id,
    review_span_id,
    toDecimal64(sum(placed.seconds), 6) AS quantity,
    if(
        max(is_known),
        toDecimal128(divideDecimal(toDecimal256(sum(placed.units), 0), toDecimal256(1000000000000000000, 0), 18), 18),
        NULL
    ) AS amount,
    NULL AS list_price,
    NULL AS price,
    1 AS per,
    any(service),
    any(provider),
    any(model),
    '' AS role,
    any(team),
    any(feature),
    any(customer),
    any(project),
    any(cost_center),
    any(environment),
    any(user),
    any(session),
    (SELECT any(currency) FROM rating_runs WHERE rating_run = {run:String}),
    {run:String},
    {version:UInt64},
    0
FROM placed
GROUP BY
    tenant,
    hour,
    trace_id,
    component,
    sub_component,
    unit,
    review_trace_id,
    review_span_id
