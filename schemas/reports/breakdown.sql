-- One row per period, group and currency: what was charged, by component, and how much of it is known.
-- The hours know neither customers nor services, and what is booked neither users nor sessions; where those are asked for, or used
-- capacity as infrastructure, the lines are read, which add up to the same. Of closed months, what was booked; what has changed since is a correction, which
-- dates from the beginning of the month it is booked in.
WITH
    -- Of an earlier run nothing is booked: every month of it is open.
    (
        SELECT max(if({run:String} = '', closings.open_from, toDateTime(0, 'UTC')))
        FROM closings
        WHERE tenant = {tenant:String}
    ) AS open_from,
    corrected AS (
        SELECT hour
        FROM corrected_hours
        WHERE tenant = {tenant:String}
            AND {run:String} = ''
    ),
    charged AS (
        SELECT
            greatest(hour, open_from) AS moment,
            hour,
            hour < open_from AS is_correction,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model), 'sub_component', toString(sub_component),
                'charge_period', formatDateTime(hour, '%Y-%m', 'UTC')
            ) AS named,
            component,
            currency,
            ifNull(tcoai_by_hour.amount, 0) AS amount,
            estimated,
            allocated,
            tokens,
            toInt64(tcoai_by_hour.lines) AS lines,
            if(isNull(tcoai_by_hour.amount), toInt64(tcoai_by_hour.lines), 0) AS unpriced
        FROM tcoai_by_hour FINAL
        WHERE {source:String} = 'hours'
            AND tenant = {tenant:String}
            AND rating_run IN (
                SELECT if({run:String} = '', value, {run:String})
                FROM rollup_state FINAL
                WHERE tenant = {everybody:String} AND name = 'rating_run'
            )
            AND (hour >= open_from OR hour IN (SELECT hour FROM corrected))
            AND ({since:Nullable(DateTime64(6))} IS NULL OR greatest(hour, open_from) >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR greatest(hour, open_from) < {until:Nullable(DateTime64(6))})
        UNION ALL
        -- What has been worked out anew since is taken back in the first open month, where it is added as it is now.
        SELECT
            multiIf(
                sign < 0, open_from,
                booking_month != toStartOfMonth(hour, 'UTC'), toDateTime(booking_month, 'UTC'),
                hour
            ) AS moment,
            hour,
            sign < 0 OR booking_month != toStartOfMonth(hour, 'UTC') AS is_correction,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model), 'sub_component', toString(sub_component),
                'charge_period', formatDateTime(hour, '%Y-%m', 'UTC')
            ) AS named,
            component,
            currency,
            sign * booked.amount AS amount,
            if(is_estimated, sign * booked.amount, 0) AS estimated,
            if(kind NOT IN ('token', 'meter', 'review'), sign * booked.amount, 0) AS allocated,
            if(kind = 'token', sign * quantity, 0) AS tokens,
            sign * booked.lines AS lines,
            sign * booked.unpriced AS unpriced
        FROM (
            SELECT
                booking_month, hour, team, feature, project, cost_center, environment, role, provider, model, sub_component,
                component, currency, amount, is_estimated, kind, quantity, lines, unpriced,
                arrayJoin(if(hour IN (SELECT hour FROM corrected), [1, -1], [1])) AS sign
            FROM booked_lines
            WHERE {source:String} = 'hours'
                AND tenant = {tenant:String}
                AND booking_month < toDate(open_from)
        ) AS booked
        WHERE {source:String} = 'hours'
            AND ({since:Nullable(DateTime64(6))} IS NULL OR moment >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR moment < {until:Nullable(DateTime64(6))})
        UNION ALL
        SELECT
            booking_time AS moment,
            hour,
            is_correction,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model),
                'sub_component', if(
                    ({infra_view:String} = 'all' AND kind IN ('used', 'commit_used')) AS is_moved,
                    if(kind = 'used', 'gpu_used', 'commitment_used'),
                    toString(charges.sub_component)
                ),
                'charge_period', formatDateTime(hour, '%Y-%m', 'UTC'),
                'customer', customer, 'service', toString(service)
            ) AS named,
            if(is_moved, 'infrastructure', charges.component) AS component,
            currency,
            charges.amount AS amount,
            if(is_estimated, charges.amount, 0) AS estimated,
            if(kind NOT IN ('token', 'meter', 'review'), charges.amount, 0) AS allocated,
            if(kind = 'token', quantity, 0) AS tokens,
            charges.lines AS lines,
            charges.unpriced AS unpriced
        FROM charges
        WHERE {source:String} = 'charges'
            AND tenant = {tenant:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR booking_time >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR booking_time < {until:Nullable(DateTime64(6))})
        UNION ALL
        SELECT
            hour AS moment,
            hour,
            0 AS is_correction,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model),
                'sub_component', if(
                    ({infra_view:String} = 'all' AND kind IN ('used', 'commit_used')) AS is_moved,
                    if(kind = 'used', 'gpu_used', 'commitment_used'),
                    toString(cost_lines.sub_component)
                ),
                'charge_period', formatDateTime(hour, '%Y-%m', 'UTC'),
                'customer', customer, 'user', user, 'session', session, 'service', toString(service)
            ) AS named,
            if(is_moved, 'infrastructure', cost_lines.component) AS component,
            currency,
            ifNull(cost_lines.amount, 0) AS amount,
            if(is_estimated, ifNull(cost_lines.amount, 0), 0) AS estimated,
            if(kind NOT IN ('token', 'meter', 'review'), ifNull(cost_lines.amount, 0), 0) AS allocated,
            if(kind = 'token', quantity, 0) AS tokens,
            1 AS lines,
            isNull(cost_lines.amount) AS unpriced
        FROM cost_lines
        WHERE {source:String} = 'lines'
            AND tenant = {tenant:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
        UNION ALL
        SELECT
            hour AS moment,
            hour,
            0 AS is_correction,
            map(
                'team', toString(team), 'feature', toString(feature), 'project', toString(project),
                'cost_center', toString(cost_center), 'environment', toString(environment), 'role', toString(role),
                'provider', toString(provider), 'model', toString(model), 'sub_component', '',
                'charge_period', formatDateTime(hour, '%Y-%m', 'UTC'),
                'customer', customer, 'user', user, 'session', session, 'service', toString(service)
            ) AS named,
            '' AS component,
            currency,
            0 AS amount,
            0 AS estimated,
            0 AS allocated,
            0 AS tokens,
            1 AS lines,
            1 AS unpriced
        FROM unknown_usage
        WHERE {source:String} = 'lines'
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
    ),
    -- By month of charge: what was unknown in one, and is known now, makes nothing known of another.
    counted AS (
        SELECT
            multiIf(
                {per:String} = 'hour', toDateTime(moment, 'UTC'),
                {per:String} = 'day', toDateTime(toStartOfDay(moment, {zone:String}), 'UTC'),
                {per:String} = 'week', toTimeZone(toDateTime(toStartOfWeek(moment, 1, {zone:String}), {zone:String}), 'UTC'),
                {per:String} = 'month', toTimeZone(toDateTime(toStartOfMonth(moment, {zone:String}), {zone:String}), 'UTC'),
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
                        sum(amount) DESC,
                        values
                    LIMIT {limit:UInt32} BY currency
                ), values, []
            ) AS group,
            currency,
            ${components: sumIf(wanted.amount, component = '{name}') AS {name}},
            sum(wanted.amount) AS total,
            sumIf(wanted.amount, is_correction) AS corrections,
            sum(wanted.estimated) AS estimated,
            sum(wanted.allocated) AS allocated,
            sum(wanted.tokens) AS tokens,
            greatest(0, sum(wanted.unpriced)) AS unpriced,
            greatest(unpriced, sum(wanted.lines)) AS lines,
            -- What cancels out is not there.
            sum(wanted.lines) != 0 OR sum(wanted.unpriced) != 0 AS has_lines
        FROM wanted
        GROUP BY
            period,
            group,
            currency,
            toStartOfMonth(hour, 'UTC')
    )
SELECT
    period,
    group,
    currency,
    ${components: sum(counted.{name}) AS {name}},
    sum(counted.total) AS total,
    sum(counted.corrections) AS corrections,
    sum(counted.estimated) AS estimated,
    sum(counted.allocated) AS allocated,
    sum(counted.tokens) AS tokens,
    sum(counted.unpriced) AS unpriced,
    sum(counted.lines) AS lines
FROM counted
GROUP BY
    period,
    group,
    currency
HAVING max(has_lines)
    OR tokens != 0
    OR ${components(' OR '): {name} != 0}
ORDER BY
    period,
    empty(group),
    total DESC,
    group,
    currency
