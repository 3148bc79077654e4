-- One row per call or review of the batch: whether it bears cost, and the role that it or a span around it names; scratch.
CREATE TABLE IF NOT EXISTS rollup_decided (
    number UInt32,
    tenant LowCardinality(String),
    trace_id String,
    span_id String,
    borne_by LowCardinality(String),
    counts UInt8 COMMENT 'It bears cost and used something: a call among the calls of its trace.',
    role LowCardinality(String),
    role_source LowCardinality(String),
    own_tokens UInt64
)
ENGINE = Memory
