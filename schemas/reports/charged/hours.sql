-- One row per sum of an hour, as it is now or was by an earlier run: where no month is closed, all that is charged.
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
    '' AS role_source,
    provider,
    model,
    sub_component,
    '' AS token_class,
    '' AS customer,
    '' AS user,
    '' AS session,
    '' AS service,
    '' AS rework,
    component,
    currency,
    ifNull(tcoai_by_hour.amount, 0) AS amount,
    estimated,
    allocated,
    tokens,
    toInt64(tcoai_by_hour.lines) AS lines,
    if(isNull(tcoai_by_hour.amount), toInt64(tcoai_by_hour.lines), 0) AS unpriced
FROM tcoai_by_hour FINAL
WHERE tenant = {tenant:String}
    AND rating_run IN (
        SELECT if({run:String} = '', value, {run:String})
        FROM rollup_state FINAL
        WHERE tenant = {everybody:String} AND name = 'rating_run'
    )
    AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
