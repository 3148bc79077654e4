-- One row per call of the batch whose output was rejected, or that broke and whose beginning is used; scratch.
CREATE TABLE IF NOT EXISTS rollup_rejected (
    number UInt32,
    verdict LowCardinality(String) COMMENT 'rejected or accepted.'
)
ENGINE = Memory
