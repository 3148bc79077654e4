-- Which of our spans is around a span below one of somebody else.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS own_parent_id String CODEC(ZSTD(1)) COMMENT 'Our span around it, as it says itself, where the parent is a span of somebody else; else empty.' AFTER parent_span_id
