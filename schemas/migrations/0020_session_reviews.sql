-- A review of a session or of several requests is one line, shared by those that it is of.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS review_session String COMMENT 'The session that was reviewed as a whole.' CODEC(ZSTD(1)) AFTER reviewer_role,
    ADD COLUMN IF NOT EXISTS reviewed Map(String, UInt64) COMMENT 'Items by trace of which a review was, where it was not of its own trace.' AFTER review_session;
ALTER TABLE capacity_lines
    ADD COLUMN IF NOT EXISTS review_trace_id String COMMENT 'Of a share of a review: the trace that the review is in.' CODEC(ZSTD(1)) AFTER segment,
    ADD COLUMN IF NOT EXISTS review_span_id String CODEC(ZSTD(1)) AFTER review_trace_id,
    MODIFY ORDER BY (tenant, hour, pool, trace_id, span_id, part, kind, component, sub_component, unit, segment, review_trace_id, review_span_id);
