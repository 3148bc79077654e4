-- One row per period, group and currency: what was charged, by component, and how much of it is known.
-- The hours know neither customers nor sessions; where those are asked for, the lines are read, which add up to the same.
WITH
    charged AS (
        SELECT
            hour,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model), 'sub_component', toString(sub_component)
            ) AS named,
            component,
            currency,
            amount,
            estimated,
            allocated,
            tokens,
            lines,
            isNull(amount) AS is_unpriced
        FROM tcoai_by_hour FINAL
        WHERE NOT {closely:Bool}
            AND tenant = {tenant:String}
            AND rating_run IN (
                SELECT if({run:String} = '', value, {run:String})
                FROM rollup_state FINAL
                WHERE tenant = {everybody:String} AND name = 'rating_run'
            )
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
        UNION ALL
        SELECT
            hour,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model), 'sub_component', toString(sub_component),
                'customer', customer, 'user', user, 'session', session, 'service', toString(service)
            ) AS named,
            component,
            currency,
            amount,
            if(is_estimated, ifNull(amount, 0), 0) AS estimated,
            if(kind NOT IN ('token', 'meter', 'review'), ifNull(amount, 0), 0) AS allocated,
            if(kind = 'token', quantity, 0) AS tokens,
            1 AS lines,
            isNull(amount) AS is_unpriced
        FROM cost_lines
        WHERE {closely:Bool}
            AND tenant = {tenant:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
        UNION ALL
        SELECT
            hour,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model), 'sub_component', '',
                'customer', customer, 'user', user, 'session', session, 'service', toString(service)
            ) AS named,
            '' AS component,
            currency,
            NULL AS amount,
            0 AS estimated,
            0 AS allocated,
            0 AS tokens,
            1 AS lines,
            true AS is_unpriced
        FROM unknown_usage
        WHERE {closely:Bool}
            AND tenant = {tenant:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
    ),
    wanted AS (
        SELECT
            *,
            arrayMap(dimension -> named[dimension], {by:Array(String)}) AS values
        FROM charged
        WHERE arrayAll((dimension, value) -> named[dimension] = value, {only:Array(String)}, {values:Array(String)})
    )
SELECT
    multiIf(
        {per:String} = 'hour', toDateTime(hour, 'UTC'),
        {per:String} = 'day', toDateTime(toStartOfDay(hour, {zone:String}), 'UTC'),
        {per:String} = 'week', toTimeZone(toDateTime(toStartOfWeek(hour, 1, {zone:String}), {zone:String}), 'UTC'),
        {per:String} = 'month', toTimeZone(toDateTime(toStartOfMonth(hour, {zone:String}), {zone:String}), 'UTC'),
        NULL
    ) AS period,
    -- An empty array stands for all the groups that are not among the dearest.
    if(
        {limit:UInt32} = 0 OR (currency, values) IN (
            SELECT
                currency,
                values
            FROM wanted
            GROUP BY
                currency,
                values
            ORDER BY
                sum(ifNull(amount, 0)) DESC,
                values
            LIMIT {limit:UInt32} BY currency
        ), values, []
    ) AS group,
    currency,
    ${components: sumIf(ifNull(wanted.amount, 0), component = '{name}') AS {name}},
    sum(ifNull(wanted.amount, 0)) AS total,
    sum(wanted.estimated) AS estimated,
    sum(wanted.allocated) AS allocated,
    sum(wanted.tokens) AS tokens,
    sumIf(wanted.lines, is_unpriced) AS unpriced,
    sum(wanted.lines) AS lines
FROM wanted
GROUP BY
    period,
    group,
    currency
ORDER BY
    period,
    empty(group),
    total DESC,
    group,
    currency
