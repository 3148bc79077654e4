-- Amounts are counts times a unit, and take half the room when that is divided out; what is stored already gets it when it is merged.
ALTER TABLE call_costs
    MODIFY COLUMN `lines.quantity` CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN `lines.amount` CODEC(GCD, ZSTD(1)),
    ${components: MODIFY COLUMN IF EXISTS {name} CODEC(GCD, ZSTD(1))},
    MODIFY COLUMN total CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN estimated CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN list_cost CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN contracted_cost CODEC(GCD, ZSTD(1));
ALTER TABLE tcoai_by_trace
    ${components: MODIFY COLUMN IF EXISTS {name} CODEC(GCD, ZSTD(1))},
    MODIFY COLUMN total CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN direct CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN measured CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN estimated CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN list_cost CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN contracted_cost CODEC(GCD, ZSTD(1));
ALTER TABLE tcoai_by_hour
    MODIFY COLUMN amount CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN estimated CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN list_cost CODEC(GCD, ZSTD(1)),
    MODIFY COLUMN contracted_cost CODEC(GCD, ZSTD(1));
ALTER TABLE otel_traces
    MODIFY COLUMN SpanAttributes CODEC(ZSTD(3)),
    MODIFY COLUMN `Events.Timestamp` CODEC(Delta(8), ZSTD(1));
-- Which traces mention a response, `retellings` says as well.
ALTER TABLE responses
    DROP COLUMN IF EXISTS traces;
-- A part of an insert in some hundreds of files, one or more to a column, takes longer to open than to write.
ALTER TABLE otel_traces
    MODIFY SETTING min_bytes_for_wide_part = 67108864;
ALTER TABLE llm_calls
    MODIFY SETTING min_bytes_for_wide_part = 67108864
