-- One row per day and other instrumentation: in which dialect it tells, and how far its counts could be taken as they were.
CREATE OR REPLACE VIEW instrumentations AS
SELECT
    tenant,
    toDate(started_at, 'UTC') AS day,
    library,
    convention,
    count() AS spans,
    countIf(scope = 'call') AS calls,
    countIf(notEmpty(adjustments)) AS adjusted,
    countIf(has(flags, 'inconsistent')) AS inconsistent
FROM llm_calls FINAL
WHERE convention != ''
    AND part = 0
GROUP BY
    tenant,
    day,
    library,
    convention
