-- One row per pool and hour that stays allocated as it is: those booked before the horizon, and those a closed trace has a share in.
INSERT INTO rollup_closed_hours
WITH
    shared AS (
        SELECT DISTINCT
            tenant,
            pool,
            hour,
            trace_id
        FROM capacity_lines FINAL
        WHERE hour + INTERVAL 1 HOUR > {horizon:DateTime64(6)}
            AND trace_id != ''
            AND kind IN ('used', 'idle', 'fixed')
    )
SELECT
    tenant,
    pool,
    hour
FROM capacity_hours FINAL
WHERE hour + INTERVAL 1 HOUR <= {horizon:DateTime64(6)}
UNION DISTINCT
SELECT
    tenant,
    pool,
    hour
FROM shared
WHERE (tenant, trace_id) IN (
        SELECT
            tenant,
            trace_id
        FROM trace_extents
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM shared)
        GROUP BY
            tenant,
            trace_id
        HAVING min(received) < {horizon:DateTime64(6)}
    )
