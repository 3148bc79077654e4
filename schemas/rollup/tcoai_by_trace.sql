-- One row per trace of the batch: its lines, and its shares of capacity and of reviews, summed.
INSERT INTO tcoai_by_trace
WITH
    -- One number orders the spans of a trace, and leaves no tie to chance; comparing tuples costs many times as much.
    ordered AS (
        SELECT
            tenant,
            trace_id,
            started_at,
            ended_at,
            name,
            service,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            user,
            session,
            tags,
            -- What was only said of the trace, perhaps days later, is not when it ran, and names it last.
            report != '' AS is_report,
            bitShiftLeft(toUInt128(toUnixTimestamp64Nano(started_at)), 63) + bitShiftRight(sipHash64(span_id), 1) AS moment,
            multiIf(
                is_report, bitShiftLeft(toUInt128(3), 126),
                parent_span_id = '', toUInt128(0),
                bitShiftLeft(toUInt128(1), 127)
            ) AS is_inner
        FROM llm_calls FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
            AND part = 0
    ),
    told AS (
        SELECT
            tenant,
            trace_id,
            if(min(is_report), min(started_at), minIf(started_at, NOT is_report)) AS first_start,
            if(min(is_report), max(ended_at), maxIf(ended_at, NOT is_report)) AS last_end,
            argMin(name, is_inner + moment) AS root_name,
            argMin(service, is_inner + moment) AS root_service,
            argMinIf(team, moment, team != '') AS first_team,
            argMinIf(feature, moment, feature != '') AS first_feature,
            argMinIf(customer, moment, customer != '') AS first_customer,
            argMinIf(project, moment, project != '') AS first_project,
            argMinIf(cost_center, moment, cost_center != '') AS first_cost_center,
            argMinIf(environment, moment, environment != '') AS first_environment,
            argMinIf(user, moment, user != '') AS first_user,
            argMinIf(session, moment, session != '') AS first_session,
            argMinIf(tags, moment, notEmpty(tags)) AS first_tags,
            count() AS spans,
            {run:String} AS rated_by
        FROM ordered
        GROUP BY
            tenant,
            trace_id
        UNION ALL
        -- What a closed trace is called, and whose it is, nothing that comes late can change.
        SELECT
            tenant,
            trace_id,
            started_at,
            ended_at,
            root_name,
            service,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            user,
            session,
            tags,
            spans,
            rating_run
        FROM tcoai_by_trace FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_closed)
            AND day BETWEEN toDate({since:DateTime64(9)}) AND toDate({until:DateTime64(9)})
    ),
    caused AS (
        SELECT
            tenant,
            trace_id,
            any(currency) AS currency,
            ${components: sum({name}) AS {name}_sum},
            sum(total) AS direct,
            sum(estimated) AS estimated_sum,
            sum(list_cost) AS list_sum,
            sum(contracted_cost) AS contracted_sum,
            -- A call whose parts bear its cost is still a call.
            countIf(kind = 'call' AND (bearing OR borne_by = 'parts') AND part = 0) AS calls,
            sumMapIf(
                [(sampling_numerator, sampling_denominator)],
                [toUInt64(1)],
                (bearing OR borne_by = 'parts') AND part = 0 AND sampling_numerator > 1
            ) AS ratios,
            arrayMap((ratio, number) -> (ratio.1, ratio.2, number), ratios.1, ratios.2) AS sampled_calls,
            sumIf(attempts, bearing OR borne_by = 'parts') AS attempts_sum,
            sumIf(failed_attempts, bearing OR borne_by = 'parts') AS failed_attempts_sum,
            sumIf(unknown_attempts, bearing OR borne_by = 'parts') AS unknown_attempts_sum,
            countIf(kind = 'review' AND borne_by != 'shares') AS reviews,
            sum(arraySum(
                (unit_kind, status, quantity) -> if(unit_kind = 'review' AND status != 'shared', toUInt64(quantity), 0),
                lines.kind,
                lines.status,
                lines.quantity
            )) AS review_seconds,
            sumMapIf(tokens, bearing) AS tokens_sum,
            sumMapIf(meters, bearing) AS meters_sum,
            sum(ifNull(unexplained_tokens, 0)) AS unexplained,
            sum(usage_covered) AS usage_covered_sum,
            sum(usage_total) AS usage_total_sum,
            sum(tokens_covered) AS tokens_covered_sum,
            sum(tokens_total) AS tokens_total_sum,
            sum(rates_covered) AS rates_covered_sum,
            sum(rates_total) AS rates_total_sum,
            sum(roles_covered) AS roles_covered_sum,
            sum(roles_total) AS roles_total_sum,
            sumIf(reviews_covered, borne_by != 'shares') AS reviews_covered_sum,
            sumIf(reviews_total, borne_by != 'shares') AS reviews_total_sum
        FROM call_costs FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
        GROUP BY
            tenant,
            trace_id
        -- What only tells of reviews of others is no request.
        HAVING countIf(borne_by != 'shares') > 0
    ),
    shared AS (
        SELECT
            tenant,
            trace_id,
            ${components: sumIf(ifNull(amount, 0), component = '{name}') AS {name}_share},
            sum(ifNull(amount, 0)) AS allocated,
            sumIf(toUInt64(quantity), isNull(amount) AND kind != 'review_share') AS unpriced_tokens,
            uniqExactIf((review_trace_id, review_span_id), kind = 'review_share') AS reviews_shared,
            uniqExactIf((review_trace_id, review_span_id), kind = 'review_share' AND isNull(amount)) AS reviews_unknown,
            sumIf(toUInt64(quantity), kind = 'review_share') AS seconds_shared,
            any(currency) AS currency
        FROM capacity_lines FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
        GROUP BY
            tenant,
            trace_id
    )
SELECT
    told.tenant,
    toDate(told.first_start),
    told.trace_id,
    told.first_start,
    told.last_end,
    told.root_name,
    told.root_service,
    told.first_team,
    told.first_feature,
    told.first_customer,
    told.first_project,
    told.first_cost_center,
    told.first_environment,
    told.first_user,
    told.first_session,
    told.first_tags,
    if(caused.currency = '', shared.currency, caused.currency),
    ${components: caused.{name}_sum + shared.{name}_share},
    caused.direct + shared.allocated,
    caused.direct,
    shared.allocated,
    caused.direct + shared.allocated - caused.estimated_sum,
    caused.estimated_sum,
    caused.list_sum,
    caused.contracted_sum,
    told.spans,
    caused.calls,
    caused.sampled_calls,
    caused.attempts_sum,
    caused.failed_attempts_sum,
    caused.unknown_attempts_sum,
    caused.reviews + shared.reviews_shared,
    caused.review_seconds + shared.seconds_shared,
    caused.tokens_sum,
    caused.meters_sum,
    caused.unexplained,
    caused.usage_covered_sum,
    caused.usage_total_sum,
    caused.tokens_covered_sum - least(caused.tokens_covered_sum, shared.unpriced_tokens) AS tokens_priced,
    caused.tokens_total_sum,
    caused.rates_covered_sum,
    caused.rates_total_sum,
    caused.roles_covered_sum,
    caused.roles_total_sum,
    caused.reviews_covered_sum + shared.reviews_shared - shared.reviews_unknown AS reviews_known,
    caused.reviews_total_sum + shared.reviews_shared AS reviews_all,
    arrayMin(arrayMap(
        (covered, total) -> if(total = 0, 1, covered / total),
        [caused.usage_covered_sum, tokens_priced, caused.rates_covered_sum, caused.roles_covered_sum, reviews_known],
        [caused.usage_total_sum, caused.tokens_total_sum, caused.rates_total_sum, caused.roles_total_sum, reviews_all]
    )),
    told.rated_by,
    {version:UInt64},
    0
FROM told
LEFT JOIN caused ON caused.tenant = told.tenant AND caused.trace_id = told.trace_id
LEFT JOIN shared ON shared.tenant = told.tenant AND shared.trace_id = told.trace_id
WHERE caused.trace_id != ''
    OR shared.trace_id != ''
