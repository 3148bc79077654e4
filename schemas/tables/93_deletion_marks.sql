-- One row per trace that is being deleted, and per response that it named: what a deletion that was cut short has yet to do.
CREATE TABLE IF NOT EXISTS deletion_marks (
    tenant LowCardinality(String),
    kind LowCardinality(String) COMMENT 'trace or response.',
    id String COMMENT 'A trace id, or a response id.'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, kind, id)
