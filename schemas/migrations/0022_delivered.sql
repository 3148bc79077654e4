-- What had come of an answer that was left, and that its beginning is used.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS delivered Map(LowCardinality(String), UInt64) COMMENT 'Of an answer that was left: what of its output had come, by bucket. A bucket that is absent came whole, or nobody knows.' AFTER stream_end,
    ADD COLUMN IF NOT EXISTS accepted_response String CODEC(ZSTD(1)) COMMENT 'The response whose beginning is used, on a span that accepts one and knows it.' AFTER rejected_response
