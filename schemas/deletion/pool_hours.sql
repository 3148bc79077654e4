-- One row per pool and hour in which a deleted trace had a share; also where the share has been taken back.
INSERT INTO rollup_pool_hours
SELECT DISTINCT
    tenant,
    pool,
    hour
FROM capacity_lines
WHERE (tenant, trace_id) IN (SELECT tenant, id FROM deletion_marks WHERE kind = 'trace')
    AND kind != 'review_share'
