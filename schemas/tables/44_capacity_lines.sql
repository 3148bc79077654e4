-- One row per pool, hour, call and line of that call: its share of the used hour; and one per call for its share of the
-- idle rest. The idle cost of an hour without traffic is a row of no trace. So for commitments, whose id is the pool. And one
-- per share that a trace has in a review of its session or of several requests; the session's own is a row of no trace.
CREATE TABLE IF NOT EXISTS capacity_lines (
    tenant LowCardinality(String),
    hour DateTime,
    pool LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    part UInt16,
    kind LowCardinality(String) COMMENT 'used or idle; fixed, of what is paid whoever calls; of a commitment, commit_used, commit_overflow or commit_unused; review_share',
    component LowCardinality(String),
    sub_component LowCardinality(String),
    unit LowCardinality(String),
    segment LowCardinality(String),
    review_trace_id String CODEC(ZSTD(1)) COMMENT 'Of a share of a review: the trace that the review is in.',
    review_span_id String CODEC(ZSTD(1)),
    quantity Decimal(18, 6),
    amount Nullable(Decimal(38, 18)) COMMENT 'NULL where no price is known of what a commitment did not cover, or no time or rate of a review.',
    list_price Nullable(Decimal(38, 18)) COMMENT 'Of what a commitment covers, of `per` units, without it.',
    price Nullable(Decimal(38, 18)),
    per UInt32 DEFAULT 1,
    service LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    role LowCardinality(String),
    team LowCardinality(String),
    feature LowCardinality(String),
    customer String CODEC(ZSTD(1)),
    project LowCardinality(String),
    cost_center LowCardinality(String),
    environment LowCardinality(String),
    user String CODEC(ZSTD(1)),
    session String CODEC(ZSTD(1)),
    currency LowCardinality(String),
    rating_run LowCardinality(String),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, hour, pool, trace_id, span_id, part, kind, component, sub_component, unit, segment, review_trace_id, review_span_id)
SETTINGS
    index_granularity = 1024
