-- One row per tenant and closed month: what was charged in it, and booked in it of those before, never changes any more.
CREATE TABLE IF NOT EXISTS closed_months (
    tenant LowCardinality(String),
    month Date COMMENT 'Its first day (UTC).',
    closed_at DateTime64(6),
    version UInt64 COMMENT 'Of the rollup: hours with a later one were worked out anew since.'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, month)
