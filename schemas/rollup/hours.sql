-- One row per hour in which this run has rated calls or allocated capacity.
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
