-- What of a call was estimated, by which method, and how far it may be off.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS estimated_counts Array(LowCardinality(String)) AFTER reasoning_visibility,
    ADD COLUMN IF NOT EXISTS estimate_method LowCardinality(String) AFTER estimated_counts,
    ADD COLUMN IF NOT EXISTS estimate_errors Map(LowCardinality(String), Float64) AFTER estimate_method;
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS estimated_counts Array(LowCardinality(String)) AFTER usage_source
