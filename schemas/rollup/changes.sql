-- One row per sum of an hour to which traces of the batch give something: what they give, or take away.
INSERT INTO rollup_changes
SELECT
    ${hour_key},
    {sign:Int8} * sum(ifNull(amount, 0)),
    {sign:Int8} * sumIf(ifNull(amount, 0), kind NOT IN ('token', 'meter', 'review')),
    {sign:Int8} * sumIf(ifNull(amount, 0), is_estimated),
    {sign:Int8} * sum(ifNull(list_cost, 0)),
    {sign:Int8} * sum(ifNull(contracted_cost, 0)),
    {sign:Int8} * sumIf(quantity, kind = 'token'),
    {sign:Int8} * count(),
    {sign:Int8} * count(amount),
    {sign:Int8} * count(list_cost),
    {sign:Int8} * count(contracted_cost)
FROM (
    SELECT
        ${hour_key}, amount, kind, is_estimated, list_cost, contracted_cost, quantity
    FROM cost_lines
    WHERE hour >= {kept:DateTime}
    UNION ALL
    SELECT
        tenant, hour, team, feature, project, cost_center, environment, provider, model, role, '' AS component,
        '' AS sub_component, status, currency, NULL AS amount, '' AS kind, 0 AS is_estimated, NULL AS list_cost,
        NULL AS contracted_cost, toDecimal64(0, 6) AS quantity
    FROM unknown_usage
    WHERE hour >= {kept:DateTime}
)
GROUP BY ALL
