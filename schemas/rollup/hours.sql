-- One row per hour in which this run has rated calls, allocated capacity, or changed a line of a commitment.
INSERT INTO rollup_hours
SELECT DISTINCT
    tenant,
    hour
FROM call_costs
WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
    AND version = {version:UInt64}
UNION DISTINCT
SELECT DISTINCT
    tenant,
    hour
FROM rollup_pool_hours
UNION DISTINCT
SELECT DISTINCT
    tenant,
    hour
FROM capacity_lines
WHERE version = {version:UInt64}
    AND startsWith(kind, 'commit_')
