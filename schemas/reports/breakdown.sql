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
    -- How dear a group is in all periods; windows, for what a step is asked for twice is worked out twice.
    weighed AS (
        SELECT
            summed.*,
            sum(summed.total) OVER (PARTITION BY currency, values) AS whole
        FROM summed
    ),
    ranked AS (
        SELECT
            weighed.*,
            dense_rank() OVER (PARTITION BY currency ORDER BY whole DESC, values) AS place
        FROM weighed
    ),
    -- By month of charge: what was unknown in one, and is known now, makes nothing known of another.
    counted AS (
        SELECT
            period,
            -- An empty array stands for all the groups that are not among the dearest.
            if({limit:UInt32} = 0 OR place <= {limit:UInt32}, values, []) AS group,
            currency,
            ${components: sum(ranked.{name}) AS {name}},
            sum(ranked.total) AS total,
            sum(ranked.corrections) AS corrections,
            sum(ranked.estimated) AS estimated,
            sum(ranked.allocated) AS allocated,
            sum(ranked.tokens) AS tokens,
            greatest(0, sum(ranked.unpriced)) AS unpriced,
            greatest(unpriced, sum(ranked.lines)) AS lines,
            -- What cancels out is not there.
            sum(ranked.lines) != 0 OR sum(ranked.unpriced) != 0 AS has_lines
        FROM ranked
        GROUP BY
            period,
            group,
            currency,
            charge_month
    )
-- Amounts as text: they are many, and Python takes longer to read numbers of this width than the engine does to write them.
SELECT
    period,
    group,
    currency,
    ${components: toString(sum(counted.{name})) AS {name}},
    toString(sum(counted.total)) AS total,
    toString(sum(counted.corrections)) AS corrections,
    toString(sum(counted.estimated)) AS estimated,
    toString(sum(counted.allocated)) AS allocated,
    toString(sum(counted.tokens)) AS tokens,
    sum(counted.unpriced) AS unpriced,
    sum(counted.lines) AS lines
FROM counted
GROUP BY
    period,
    group,
    currency
HAVING max(has_lines)
    OR sum(counted.tokens) != 0
    OR ${components(' OR '): sum(counted.{name}) != 0}
ORDER BY
    period,
    empty(group),
    sum(counted.total) DESC,
    group,
    currency
