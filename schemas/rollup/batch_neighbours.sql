-- One row per trace that shares an allocated hour: its share has changed though its own lines have not.
INSERT INTO rollup_batch
SELECT DISTINCT
    tenant,
    trace_id
FROM capacity_lines
WHERE (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
    AND trace_id != ''
