-- What roles are inferred from, and what is suspected of a call.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS tool_calls UInt16 AFTER finish_reasons,
    ADD COLUMN IF NOT EXISTS repeated_tokens Nullable(UInt64) AFTER segment_tokens,
    ADD COLUMN IF NOT EXISTS activity LowCardinality(String) AFTER work_unit,
    ADD COLUMN IF NOT EXISTS broke UInt8 ALIAS stream_end = 'failed' OR (failed AND stream_end NOT IN ('closed', 'dropped', 'cancelled'));
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS suspected Array(LowCardinality(String)) AFTER waste,
    ADD COLUMN IF NOT EXISTS repeats UInt16 AFTER suspected;
