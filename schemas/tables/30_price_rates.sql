-- One row per price list, context and start of validity: every unit price of a model at that time.
-- `prices` holds one array per cell, aligned with `units`; cell = time slot × (tiers + 1) + tier.
CREATE TABLE IF NOT EXISTS price_rates (
    tenant LowCardinality(String),
    catalogue LowCardinality(String) COMMENT 'Which edition: the catalogue and its version, or the rating run of a price book.',
    rank UInt8 COMMENT '0 catalogue, 1 price book; the higher wins.',
    provider LowCardinality(String),
    model String,
    context LowCardinality(String) COMMENT 'Tier of service: batch, flex, priority, …; empty is standard.',
    valid_from DateTime64(3),
    currency LowCardinality(String),
    units Array(LowCardinality(String)) COMMENT 'Bucket and meter names.',
    is_own Array(UInt8) COMMENT 'Whether the price is the one of that unit, not borrowed from a related one.',
    per Array(UInt32) COMMENT 'Units one price buys: 1, or 3600 where seconds are sold by the hour.',
    tiers Array(UInt64) COMMENT 'A tier applies to requests of more input tokens than this.',
    times Array(UInt32) COMMENT 'Seconds of the UTC day at which a further time slot begins.',
    prices Array(Array(Decimal(38, 18))),
    list_prices Array(Array(Decimal(38, 18))) COMMENT 'What the same costs without the price book; empty: the same.'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, catalogue, provider, model, context, valid_from)
