-- One row per hour in which anything costs: closed traces have figures in them that this run has not rated.
INSERT INTO rollup_hours
SELECT DISTINCT
    tenant,
    hour
FROM call_costs FINAL
WHERE hour >= {kept:DateTime}
UNION DISTINCT
SELECT DISTINCT
    tenant,
    hour
FROM capacity_lines FINAL
WHERE hour >= {kept:DateTime}
