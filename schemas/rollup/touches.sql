-- One row per touch that this run works off.
INSERT INTO rollup_touches
SELECT
    tenant,
    trace_id,
    touch
FROM taken_traces
ORDER BY touch
LIMIT {limit:UInt64}
