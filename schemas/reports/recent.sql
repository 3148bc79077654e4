-- One row: the day from which on there are so many versions of traces, and whether there are not even as many.
SELECT
    min(newest.day) AS first_day,
    count() < {enough:UInt32} AS is_all
FROM (
    SELECT day
    FROM tcoai_by_trace
    WHERE tenant = {tenant:String}
        AND ({until:Nullable(DateTime64(6))} IS NULL OR day <= toDate32({until:Nullable(DateTime64(6))}, 'UTC'))
    ORDER BY day DESC
    LIMIT {enough:UInt32}
) AS newest
