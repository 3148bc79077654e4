-- One row per hour in which this run has allocated capacity, or changed a line of a commitment or share of a review.
INSERT INTO rollup_hours
SELECT DISTINCT
    tenant,
    hour
FROM rollup_pool_hours
WHERE hour >= {kept:DateTime}
UNION DISTINCT
SELECT DISTINCT
    tenant,
    hour
FROM capacity_lines
WHERE version = {version:UInt64}
    AND hour >= {kept:DateTime}
