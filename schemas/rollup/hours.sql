-- One row per hour in which this run has rated calls, allocated capacity, or changed a line of a commitment or share of a
-- review; or in which a trace of the batch has, or had, calls or shares: a run that was cut short may have changed them.
INSERT INTO rollup_hours
SELECT DISTINCT
    tenant,
    hour
FROM call_costs
WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
    AND hour >= {kept:DateTime}
    AND (version = {version:UInt64} OR (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch))
UNION DISTINCT
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
    AND (startsWith(kind, 'commit_') OR kind = 'review_share')
    AND hour >= {kept:DateTime}
UNION DISTINCT
SELECT DISTINCT
    tenant,
    hour
FROM capacity_lines
WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
    AND hour >= {kept:DateTime}
    AND (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
