-- For how many calls one stands that a sampler kept; what is stored already stands for itself.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS sampling_state String CODEC(ZSTD(1)) COMMENT 'What OpenTelemetry keeps in the trace state of a span of another instrumentation: the member `ot`.' AFTER unsettled_tokens,
    ADD COLUMN IF NOT EXISTS sample_rate UInt32 COMMENT 'For how many it stands by its attribute SampleRate, of the samplers of Honeycomb; 0: it has none.' AFTER sampling_state,
    ADD COLUMN IF NOT EXISTS sampling Tuple(numerator UInt64, denominator UInt64) ALIAS arrayMap(
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
    )[1] COMMENT 'For how many calls it stands: numerator / denominator, in lowest terms; 1 / 1 where no sampler says otherwise.';
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS sampling_numerator UInt64 DEFAULT 1 COMMENT 'For how many calls it stands: numerator / denominator, 1 / 1 where no sampler says otherwise; never of a review.' AFTER unknown_attempts,
    ADD COLUMN IF NOT EXISTS sampling_denominator UInt64 DEFAULT 1 AFTER sampling_numerator,
    ADD INDEX IF NOT EXISTS idx_sampling sampling_numerator TYPE minmax GRANULARITY 1;
ALTER TABLE tcoai_by_trace
    ADD COLUMN IF NOT EXISTS sampled Array(Tuple(numerator UInt64, denominator UInt64, calls UInt64)) COMMENT 'Of its calls, those that stand for numerator / denominator calls each: how many.' AFTER calls
