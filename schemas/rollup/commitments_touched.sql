-- One row per commitment and hour in which this run has rated calls that it may cover, or has had a line of such a call
-- so far; and those of deleted traces.
SELECT DISTINCT
    commitment,
    hour
FROM (
    SELECT
        arrayJoin(commitments) AS commitment,
        hour
    FROM call_costs
    WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
        AND version = {version:UInt64}
    UNION ALL
    SELECT
        pool AS commitment,
        hour
    FROM capacity_lines FINAL
    WHERE startsWith(kind, 'commit_')
        AND hour >= toStartOfHour({since:DateTime64(9)})
        AND (tenant, trace_id) IN (
            SELECT
                tenant,
                trace_id
            FROM call_costs
            WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
                AND version = {version:UInt64}
        )
    UNION ALL
    SELECT
        pool AS commitment,
        hour
    FROM rollup_pool_hours
)
