-- One row per trace of one share of all traces.
INSERT INTO rollup_batch
SELECT DISTINCT
    tenant,
    trace_id
FROM llm_calls
WHERE sipHash64(tenant, trace_id) % {shares:UInt64} = {share:UInt64}
