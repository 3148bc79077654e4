-- One row per span, and one more per separately priced part of its answer (`part` > 0); of duplicates the last received.
-- Every span is kept, not only calls: who encloses whom decides the role of a call and which span bears its cost.
CREATE TABLE IF NOT EXISTS llm_calls (
    tenant LowCardinality(String) DEFAULT 'default',
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    part UInt16,
    parent_span_id String CODEC(ZSTD(1)),
    own_parent_id String CODEC(ZSTD(1)) COMMENT 'Our span around it, as it says itself, where the parent is a span of somebody else; else empty.',
    started_at DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    ended_at DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    name LowCardinality(String),
    service LowCardinality(String),
    library LowCardinality(String) COMMENT 'Who tells of it: the instrumentation scope.',
    dialect LowCardinality(String) COMMENT 'Whose usage it is: tokentrace, gen_ai of another instrumentation, or empty: no usage of its own.',
    convention LowCardinality(String) COMMENT 'The dialect of another instrumentation, by `dialects.yaml`; unknown: it counts tokens in none of them.',
    adjustments Array(LowCardinality(String)) COMMENT 'What of its counts was put right: input_plus_cache, output_plus_reasoning, reasoning_of_total.',
    scope LowCardinality(String) COMMENT 'call, aggregate or retrieve; empty on a span that is no call.',
    operation LowCardinality(String),
    class LowCardinality(String) COMMENT 'generation, embedding or other: only calls of one class can be the same call.',
    provider LowCardinality(String),
    model LowCardinality(String) COMMENT 'Model that answered, else the one asked for.',
    request_model LowCardinality(String),
    host LowCardinality(String),
    tier LowCardinality(String),
    region LowCardinality(String),
    response_id String CODEC(ZSTD(1)),
    part_kind LowCardinality(String),
    usage_source LowCardinality(String),
    tokens Map(LowCardinality(String), UInt64) COMMENT 'Disjoint buckets. A bucket that is absent was not reported; 0 was.',
    meters Map(LowCardinality(String), Decimal(18, 6)),
    flags Array(LowCardinality(String)),
    billable LowCardinality(String),
    reported_cost Nullable(Decimal(38, 18)),
    cost_reporter LowCardinality(String) COMMENT 'Who says so: the provider, or what computed it on the way.',
    reported_currency LowCardinality(String),
    reasoning_source LowCardinality(String),
    reasoning_visibility LowCardinality(String),
    estimated_counts Array(LowCardinality(String)) COMMENT 'Counts that nobody reported: input, output, reasoning.',
    estimate_method LowCardinality(String) COMMENT 'The encoding that counted them, or heuristic, and the factor of the model.',
    estimate_errors Map(LowCardinality(String), Float64) COMMENT 'How far each may be off, as a part of it; absent: nobody knows.',
    finish_reasons Array(LowCardinality(String)),
    tool_calls UInt16 COMMENT 'Calls of tools of the application in its answer, where their format tells of them.',
    stream_end LowCardinality(String),
    delivered Map(LowCardinality(String), UInt64) COMMENT 'Of an answer that was left: what of its output had come, by bucket. A bucket that is absent came whole, or nobody knows.',
    segment_kinds Array(LowCardinality(String)) COMMENT 'Composition of the input, in prompt order.',
    segment_tokens Array(UInt64),
    repeated_tokens Nullable(UInt64) COMMENT 'Tokens at the beginning of the input that its process had sent to the model before.',
    failed UInt8,
    error_type LowCardinality(String),
    attempts UInt16,
    failed_attempts UInt16,
    unknown_attempts UInt16 COMMENT 'Attempts that broke without an answer: nobody knows whether they were billed.',
    unsettled_tokens UInt64 COMMENT 'Input of those among them that its own counts are not of, as estimated.',
    sampling_state String CODEC(ZSTD(1)) COMMENT 'What OpenTelemetry keeps in the trace state of a span of another instrumentation: the member `ot`.',
    sample_rate UInt32 COMMENT 'For how many it stands by its attribute SampleRate, of the samplers of Honeycomb; 0: it has none.',
    role LowCardinality(String) COMMENT 'As the span itself says; empty where it says nothing.',
    role_source LowCardinality(String),
    step LowCardinality(String),
    work_unit String CODEC(ZSTD(1)) COMMENT 'What a workflow works on; empty on all else.',
    activity LowCardinality(String) COMMENT 'What it is a piece of: agent, workflow, tool, step, or the role of all calls inside; empty on what is none.',
    team LowCardinality(String),
    feature LowCardinality(String),
    customer String CODEC(ZSTD(1)),
    project LowCardinality(String),
    cost_center LowCardinality(String),
    environment LowCardinality(String),
    user String CODEC(ZSTD(1)),
    session String CODEC(ZSTD(1)),
    tags Map(LowCardinality(String), String),
    review_kind LowCardinality(String) COMMENT 'Empty on a span that is no human review.',
    review_decision LowCardinality(String),
    review_seconds Nullable(UInt32) COMMENT 'Whole seconds of attention; NULL where nobody measured them.',
    review_wait_seconds Nullable(UInt32),
    reviewer String CODEC(ZSTD(1)),
    reviewer_role LowCardinality(String),
    review_session String CODEC(ZSTD(1)) COMMENT 'The session that was reviewed as a whole.',
    reviewed Map(String, UInt64) COMMENT 'Items by trace of which a review was, where it was not of its own trace.',
    report LowCardinality(String) COMMENT 'outcome, review, rejection or acceptance, on a span that only reports on its trace and makes it no longer.',
    reject_reason LowCardinality(String) COMMENT 'Why output was not used; empty on a span that rejects none.',
    reject_extent LowCardinality(String) COMMENT 'answer or section.',
    rejected_response String CODEC(ZSTD(1)),
    accepted_response String CODEC(ZSTD(1)) COMMENT 'The response whose beginning is used, on a span that accepts one and knows it.',
    rate_key UInt64 COMMENT 'Hash of everything that decides the price list: provider, models, tier, host, region.',
    ingested_at DateTime64(6) CODEC(Delta(8), ZSTD(1)),
    broke UInt8 ALIAS stream_end = 'failed' OR (failed AND stream_end NOT IN ('closed', 'dropped', 'cancelled')) COMMENT 'It failed; a stream that its reader left did not.',
    sampling Tuple(numerator UInt64, denominator UInt64) ALIAS arrayMap(
        -- Of all 2^56 random numbers of traces, how many the sampler keeps; 0: nobody says.
        kept -> if(
            kept > 0,
            (intDiv(72057594037927936, gcd(72057594037927936, greatest(kept, 1))), intDiv(kept, gcd(72057594037927936, greatest(kept, 1)))),
            (toUInt64(greatest(sample_rate, 1)), toUInt64(1))
        ),
        [multiIf(
            -- A threshold that would have dropped the span is not what kept it.
            match(sampling_state, '(?:^|;)th:[0-9a-f]{1,14}(?:;|$)'), if(
                rightPad(extract(sampling_state, '(?:^|;)th:([0-9a-f]{1,14})(?:;|$)'), 14, '0')
                    <= right(concat(trace_id, extract(sampling_state, '(?:^|;)rv:([0-9a-f]{14})(?:;|$)')), 14),
                toUInt64(72057594037927936 - reinterpretAsUInt64(reverse(unhex(
                    rightPad(extract(sampling_state, '(?:^|;)th:([0-9a-f]{1,14})(?:;|$)'), 14, '0')
                )))),
                0
            ),
            -- Powers of two, as they were written before; of 63 nobody knows the chance.
            match(sampling_state, '(?:^|;)p:[0-9]{1,2}(?:;|$)'), if(
                toUInt8OrZero(extract(sampling_state, '(?:^|;)p:([0-9]{1,2})(?:;|$)'))
                    <= toUInt8OrDefault(extract(sampling_state, '(?:^|;)r:([0-9]{1,2})(?:;|$)'), toUInt8(63)),
                bitShiftRight(72057594037927936, least(toUInt8OrZero(extract(sampling_state, '(?:^|;)p:([0-9]{1,2})(?:;|$)')), 57)),
                0
            ),
            0
        )]
    )[1] COMMENT 'For how many calls it stands: numerator / denominator, in lowest terms; 1 / 1 where no sampler says otherwise.',
    INDEX idx_ingested_at ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYYYYMM(started_at)
ORDER BY (tenant, trace_id, span_id, part)
SETTINGS
    index_granularity = 1024,
    min_bytes_for_wide_part = 67108864,
    min_compress_block_size = 16384,
    non_replicated_deduplication_window = 1000,
    default_compression_codec = 'ZSTD(1)'
