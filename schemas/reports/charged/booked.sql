-- One row per sum of an hour, or line of a closed month: of closed months what was booked; what has changed since is a correction,
-- which dates from the beginning of the month it is booked in.
WITH
    (
        SELECT max(closings.open_from)
        FROM closings
        WHERE tenant = {tenant:String}
    ) AS open_from,
    corrected AS (
        SELECT hour
        FROM corrected_hours
        WHERE tenant = {tenant:String}
    )
SELECT
    greatest(hour, open_from) AS moment,
    hour,
    hour < open_from AS is_correction,
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
        SELECT value
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
    WHERE tenant = {tenant:String}
        AND booking_month < toDate(open_from)
) AS booked
WHERE ({since:Nullable(DateTime64(6))} IS NULL OR moment >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR moment < {until:Nullable(DateTime64(6))})
