-- One row per rating run and combination of provider, models, tier, host and region that calls were seen with: its price list and
-- its capacity pool and commitments.
CREATE TABLE IF NOT EXISTS model_resolution (
    tenant LowCardinality(String),
    rating_run LowCardinality(String),
    rate_key UInt64,
    provider LowCardinality(String),
    model String,
    request_model String,
    tier LowCardinality(String),
    host LowCardinality(String),
    region LowCardinality(String),
    catalogue LowCardinality(String) COMMENT 'Edition whose rates apply; empty: no price is known.',
    rate_provider LowCardinality(String),
    rate_model String,
    rate_context LowCardinality(String),
    is_exact UInt8 COMMENT 'The model that answered and its tier were both found.',
    pool LowCardinality(String) COMMENT 'Capacity pool that serves it; empty: paid per token.',
    commitments Array(LowCardinality(String)) COMMENT 'Commitments that may cover it, the first used first.',
    matched_by LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, rating_run, rate_key)
