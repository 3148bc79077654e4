-- One row per response of a provider: which span owns it. The traces that mention it are in `retellings`.
-- Owner = the call that submitted it, else the earliest reader; all columns merge whatever the order of arrival.
CREATE TABLE IF NOT EXISTS responses (
    tenant LowCardinality(String),
    provider LowCardinality(String),
    response_id String CODEC(ZSTD(1)),
    owner SimpleAggregateFunction(min, Tuple(
        reader UInt8,
        started_at DateTime64(9),
        trace_id String,
        span_id String
    )),
    is_retrieved SimpleAggregateFunction(max, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, provider, response_id)
SETTINGS
    non_replicated_deduplication_window = 1000,
    default_compression_codec = 'ZSTD(1)'
