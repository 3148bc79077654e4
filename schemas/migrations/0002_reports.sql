-- What a span says of its trace, perhaps days later; and what a workflow works on.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS work_unit String CODEC(ZSTD(1)) AFTER step,
    ADD COLUMN IF NOT EXISTS report LowCardinality(String) AFTER reviewer_role,
    ADD COLUMN IF NOT EXISTS reject_reason LowCardinality(String) AFTER report,
    ADD COLUMN IF NOT EXISTS reject_extent LowCardinality(String) AFTER reject_reason,
    ADD COLUMN IF NOT EXISTS rejected_response String CODEC(ZSTD(1)) AFTER reject_extent
