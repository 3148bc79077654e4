-- One row per changed hour, attribution, provider, model, role, component, sub-component and status: the lines, summed; and
-- those that nobody knows, without an amount.
INSERT INTO tcoai_by_hour
SELECT
    ${hour_key},
    {run:String},
    sum(amount),
    sumIf(ifNull(amount, 0), kind NOT IN ('token', 'meter', 'review')),
    sumIf(ifNull(amount, 0), is_estimated),
    sum(list_cost),
    sum(contracted_cost),
    sumIf(quantity, kind = 'token'),
    count(),
    {version:UInt64},
    0
FROM (
    SELECT
        ${hour_key}, amount, kind, is_estimated, list_cost, contracted_cost, quantity
    FROM cost_lines
    WHERE (tenant, hour) IN (SELECT tenant, hour FROM rollup_hours)
    UNION ALL
    SELECT
        tenant, hour, team, feature, project, cost_center, environment, provider, model, role, '' AS component,
        '' AS sub_component, status, currency, NULL AS amount, '' AS kind, 0 AS is_estimated, NULL AS list_cost,
        NULL AS contracted_cost, toDecimal64(0, 6) AS quantity
    FROM unknown_usage
    WHERE (tenant, hour) IN (SELECT tenant, hour FROM rollup_hours)
)
GROUP BY
    ${hour_key}
