-- One row per line of a call, and one per call that has none: what it cost as it is now, and for how many calls it stands.
-- Of reviews and of capacity, which no sampler thins out, there are none.
WITH done_again AS (
    SELECT trace_id
    FROM runs_of_work
    WHERE tenant = {tenant:String}
    GROUP BY trace_id
    HAVING min(is_superseded)
)
SELECT
    hour AS moment,
    hour,
    0 AS is_correction,
    team,
    feature,
    project,
    cost_center,
    environment,
    role,
    role_source,
    provider,
    model,
    toString(line_sub_component) AS sub_component,
    line_unit AS token_class,
    customer,
    user,
    session,
    service,
    if(trace_id IN (SELECT trace_id FROM done_again), 'rework', '') AS rework,
    line_component AS component,
    currency,
    ifNull(line_amount, 0) AS amount,
    0 AS estimated,
    0 AS allocated,
    if(line_kind = 'token', line_quantity, 0) AS tokens,
    place > 0 AS lines,
    0 AS unpriced,
    part = 0 AND place <= 1 AS call_counts,
    sampling_numerator AS call_numerator,
    sampling_denominator AS call_denominator
FROM call_costs FINAL
LEFT ARRAY JOIN
    call_costs.lines.kind AS line_kind,
    call_costs.lines.unit AS line_unit,
    call_costs.lines.component AS line_component,
    call_costs.lines.sub_component AS line_sub_component,
    call_costs.lines.quantity AS line_quantity,
    call_costs.lines.amount AS line_amount,
    arrayEnumerate(call_costs.lines.kind) AS place
WHERE tenant = {tenant:String}
    AND kind = 'call'
    AND (bearing OR borne_by = 'parts')
    AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
