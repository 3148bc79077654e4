-- One row per trace that shares an allocated hour, or whose line of a commitment or share of a review has changed, in this
-- run or in one that was cut short: its share has changed though its own lines have not.
INSERT INTO rollup_batch
SELECT DISTINCT
    tenant,
    trace_id
FROM capacity_lines
WHERE (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
    AND trace_id != ''
UNION DISTINCT
SELECT DISTINCT
    tenant,
    trace_id
FROM capacity_lines
WHERE (version = {version:UInt64} OR version > {sound:UInt64})
    AND (startsWith(kind, 'commit_') OR kind = 'review_share')
    AND trace_id != ''
