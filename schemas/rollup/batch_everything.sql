-- One row per trace of one share of all traces: from one up to another, where it names another.
INSERT INTO rollup_batch
SELECT DISTINCT
    tenant,
    trace_id
FROM llm_calls
WHERE trace_id >= {first:String}
    AND ({beyond:String} = '' OR trace_id < {beyond:String})
