-- What attempts may have been billed that got no answer.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS unsettled_tokens UInt64 COMMENT 'Input of those among them that its own counts are not of, as estimated.' AFTER unknown_attempts;
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS unknown_attempts UInt16 COMMENT 'Those of which nobody knows whether they were billed.' AFTER failed_attempts;
ALTER TABLE tcoai_by_trace
    ADD COLUMN IF NOT EXISTS unknown_attempts UInt32 COMMENT 'Those of which nobody knows whether they were billed.' AFTER failed_attempts
