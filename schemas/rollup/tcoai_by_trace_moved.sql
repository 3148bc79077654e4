-- One row per trace of the batch that used to begin on a later day: the row of that day is gone.
INSERT INTO tcoai_by_trace (tenant, day, trace_id, version, is_deleted)
SELECT
    tenant,
    day,
    trace_id,
    {version:UInt64},
    1
FROM tcoai_by_trace FINAL
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND day BETWEEN toDate({since:DateTime64(9)}) AND toDate({until:DateTime64(9)})
    AND version < {version:UInt64}
