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
            if(has({by:Array(String)}, 'team'), toString(team), '') AS by_team,
            if(has({by:Array(String)}, 'feature'), toString(feature), '') AS by_feature,
            if(has({by:Array(String)}, 'project'), toString(project), '') AS by_project,
            if(has({by:Array(String)}, 'cost_center'), toString(cost_center), '') AS by_cost_center,
            if(has({by:Array(String)}, 'environment'), toString(environment), '') AS by_environment,
            if(has({by:Array(String)}, 'provider'), toString(provider), '') AS by_provider,
            if(has({by:Array(String)}, 'model'), toString(model), '') AS by_model,
            if(has({by:Array(String)}, 'model_family'), model_family, '') AS by_model_family,
            if(has({by:Array(String)}, 'token_class'), toString(token_class), '') AS by_token_class,
            if(has({by:Array(String)}, 'role'), toString(role), '') AS by_role,
            if(has({by:Array(String)}, 'sub_component'), toString(sub_component), '') AS by_sub_component,
            if(has({by:Array(String)}, 'customer'), toString(customer), '') AS by_customer,
            if(has({by:Array(String)}, 'user'), toString(user), '') AS by_user,
            if(has({by:Array(String)}, 'session'), toString(session), '') AS by_session,
            if(has({by:Array(String)}, 'service'), toString(service), '') AS by_service,
            if(has({by:Array(String)}, 'charge_period'), formatDateTime(hour, '%Y-%m', 'UTC'), '') AS by_charge_period,
            is_correction,
            component,
            currency,
            charged.amount AS amount,
            charged.estimated AS estimated,
            charged.allocated AS allocated,
            charged.tokens AS tokens,
            charged.lines AS lines,
            charged.unpriced AS unpriced,
            COLUMNS('^call_')
        FROM charged
        WHERE (has({only:Array(String)}, 'team') = 0 OR team = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'team')])
            AND (has({only:Array(String)}, 'feature') = 0 OR feature = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'feature')])
            AND (has({only:Array(String)}, 'project') = 0 OR project = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'project')])
            AND (has({only:Array(String)}, 'cost_center') = 0 OR cost_center = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'cost_center')])
            AND (has({only:Array(String)}, 'environment') = 0 OR environment = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'environment')])
            AND (has({only:Array(String)}, 'provider') = 0 OR provider = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'provider')])
            AND (has({only:Array(String)}, 'model') = 0 OR model = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'model')])
            AND (has({only:Array(String)}, 'model_family') = 0 OR model_family = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'model_family')])
            AND (has({only:Array(String)}, 'token_class') = 0 OR token_class = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'token_class')])
            AND (has({only:Array(String)}, 'role') = 0 OR role = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'role')])
            AND (has({only:Array(String)}, 'sub_component') = 0 OR sub_component = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'sub_component')])
            AND (has({only:Array(String)}, 'customer') = 0 OR customer = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'customer')])
            AND (has({only:Array(String)}, 'user') = 0 OR user = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'user')])
            AND (has({only:Array(String)}, 'session') = 0 OR session = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'session')])
            AND (has({only:Array(String)}, 'service') = 0 OR service = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'service')])
            AND (has({only:Array(String)}, 'charge_period') = 0 OR formatDateTime(hour, '%Y-%m', 'UTC') = arrayPushFront({values:Array(String)}, '')[1 + indexOf({only:Array(String)}, 'charge_period')])
    ),
    summed AS (
        SELECT
            period,
            charge_month,
            COLUMNS('^by_'),
            currency,
            ${components: sumIf(wanted.amount, component = '{name}') AS {name}},
            sum(wanted.amount) AS total,
            sumIf(wanted.amount, is_correction) AS corrections,
            sum(wanted.estimated) AS estimated,
            sum(wanted.allocated) AS allocated,
            sum(wanted.tokens) AS tokens,
            sum(wanted.unpriced) AS unpriced,
            sum(wanted.lines) AS lines
        FROM wanted
        GROUP BY ALL
    ),
    named AS (
        SELECT
            summed.*,
            map(
                'team', by_team,
                'feature', by_feature,
                'project', by_project,
                'cost_center', by_cost_center,
                'environment', by_environment,
                'provider', by_provider,
                'model', by_model,
                'model_family', by_model_family,
                'token_class', by_token_class,
                'role', by_role,
                'sub_component', by_sub_component,
                'customer', by_customer,
                'user', by_user,
                'session', by_session,
                'service', by_service,
                'charge_period', by_charge_period
            ) AS names,
            arrayMap(dimension -> names[dimension], {by:Array(String)}) AS values
        FROM summed
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
                    FROM named
                    WHERE {limit:UInt32} > 0
                    GROUP BY
                        currency,
                        values
                    ORDER BY
                        sum(named.total) DESC,
                        values
                    LIMIT {limit:UInt32} BY currency
                ), values, []
            ) AS group,
            currency,
            ${components: sum(named.{name}) AS {name}},
            sum(named.total) AS total,
            sum(named.corrections) AS corrections,
            sum(named.estimated) AS estimated,
            sum(named.allocated) AS allocated,
            sum(named.tokens) AS tokens,
            greatest(0, sum(named.unpriced)) AS unpriced,
            greatest(unpriced, sum(named.lines)) AS lines,
            -- What cancels out is not there.
            sum(named.lines) != 0 OR sum(named.unpriced) != 0 AS has_lines
        FROM named
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
