-- In which dialect another instrumentation tells of a span, and what of its counts was put right.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS convention LowCardinality(String) COMMENT 'The dialect of another instrumentation, by `dialects.yaml`; unknown: it counts tokens in none of them.' AFTER dialect,
    ADD COLUMN IF NOT EXISTS adjustments Array(LowCardinality(String)) COMMENT 'What of its counts was put right: input_plus_cache, output_plus_reasoning, reasoning_of_total.' AFTER convention
