-- For how many calls one stands that a sampler kept; what is stored already stands for itself.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS sampling_numerator UInt64 DEFAULT 1 COMMENT 'For how many calls it stands: numerator / denominator, 1 / 1 where no sampler says otherwise.' AFTER unsettled_tokens,
    ADD COLUMN IF NOT EXISTS sampling_denominator UInt64 DEFAULT 1 AFTER sampling_numerator;
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS sampling_numerator UInt64 DEFAULT 1 COMMENT 'For how many calls it stands: numerator / denominator, 1 / 1 where no sampler says otherwise; never of a review.' AFTER unknown_attempts,
    ADD COLUMN IF NOT EXISTS sampling_denominator UInt64 DEFAULT 1 AFTER sampling_numerator,
    ADD INDEX IF NOT EXISTS idx_sampling sampling_numerator TYPE minmax GRANULARITY 1;
ALTER TABLE tcoai_by_trace
    ADD COLUMN IF NOT EXISTS sampled Array(Tuple(numerator UInt64, denominator UInt64, calls UInt64)) COMMENT 'Of its calls, those that stand for numerator / denominator calls each: how many.' AFTER calls
