-- One row per period, group and currency: what was charged, by component, and how much of it is known.
-- `charged` stands for one of the files of that folder, the cheapest that knows enough.
WITH
    -- Only what is asked for is read: whether it is, is known before.
    wanted AS (
        SELECT
            multiIf(
                {per:String} = 'hour', toDateTime(moment, 'UTC'),
                {per:String} = 'day', toDateTime(toStartOfDay(moment, {zone:String}), 'UTC'),
                {per:String} = 'week', toTimeZone(toDateTime(toStartOfWeek(moment, 1, {zone:String}), {zone:String}), 'UTC'),
                {per:String} = 'month', toTimeZone(toDateTime(toStartOfMonth(moment, {zone:String}), {zone:String}), 'UTC'),
                NULL
            ) AS period,
            -- The name without the vendor before it, up to its major version: gpt-6.1-sol is of gpt-6, claude-opus-5-5 of claude-opus-5.
            extract(
                replaceRegexpOne(replaceRegexpOne(lower(toString(model)), '^(?:.*/|ft:)', ''), '^(?:[a-z][a-z0-9-]*\\.)+([a-z])', '\\1'),
                '^[a-z]+(?:-[a-z]+)*(?:-?[1-9][0-9]?[a-z]?\\b)?'
            ) AS named_family,
            if(named_family = '', toString(model), named_family) AS model_family,
            toStartOfMonth(hour, 'UTC') AS charge_month,
            formatDateTime(hour, '%Y-%m', 'UTC') AS charge_period,
            team,
            feature,
            project,
            cost_center,
            environment,
            provider,
            model,
            role,
            role_source,
            sub_component,
            token_class,
            customer,
            user,
            session,
            service,
            rework,
            is_correction,
            component,
            currency,
            charged.amount AS amount,
            charged.estimated AS estimated,
            charged.allocated AS allocated,
            charged.tokens AS tokens,
            charged.lines AS lines,
            charged.unpriced AS unpriced,
            -- Of calls alone, for `population`.
            COLUMNS('^call_')
        FROM charged
        WHERE 1 ${only(' '): AND {name} = {values:Array(String)}[{place}]}
    ),
    summed AS (
        SELECT
            period,
            charge_month,
            currency,
            CAST([${by: toString({name})}], 'Array(String)') AS values,
            ${components: sumIf(wanted.amount, component = '{name}') AS {name}},
            sum(wanted.amount) AS total,
            sumIf(wanted.amount, is_correction) AS corrections,
            sum(wanted.estimated) AS estimated,
            sum(wanted.allocated) AS allocated,
            sum(wanted.tokens) AS tokens,
            sum(wanted.unpriced) AS unpriced,
            sum(wanted.lines) AS lines
        FROM wanted
        GROUP BY
            period,
            charge_month,
            currency${by(''): , {name}}
    ),
    -- By month of charge: what was unknown in one, and is known now, makes nothing known of another.
    counted AS (
        SELECT
            period,
            -- An empty array stands for all the groups that are not among the dearest.
            if(
                {limit:UInt32} = 0 OR (currency, values) IN (
                    SELECT
                        currency,
                        values
                    FROM summed
                    WHERE {limit:UInt32} > 0
                    GROUP BY
                        currency,
                        values
                    ORDER BY
                        sum(summed.total) DESC,
                        values
                    LIMIT {limit:UInt32} BY currency
                ), values, []
            ) AS group,
            currency,
            ${components: sum(summed.{name}) AS {name}},
            sum(summed.total) AS total,
            sum(summed.corrections) AS corrections,
            sum(summed.estimated) AS estimated,
            sum(summed.allocated) AS allocated,
            sum(summed.tokens) AS tokens,
            greatest(0, sum(summed.unpriced)) AS unpriced,
            greatest(unpriced, sum(summed.lines)) AS lines,
            -- What cancels out is not there.
            sum(summed.lines) != 0 OR sum(summed.unpriced) != 0 AS has_lines
        FROM summed
        GROUP BY
            period,
            group,
            currency,
            charge_month
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
