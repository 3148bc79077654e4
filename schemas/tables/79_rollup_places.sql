-- One row per bearing call, agent, workflow and tool of a trace of the batch in which a role is to be inferred, or something failed: where it stands; scratch.
CREATE TABLE IF NOT EXISTS rollup_places (
    number UInt32,
    trace Int64,
    kind LowCardinality(String) COMMENT 'call, broken (a call that failed), agent, workflow or tool.',
    started_at DateTime64(9),
    ended_at DateTime64(9),
    span_id String,
    scope Int64 COMMENT 'The nearest agent, workflow or tool around it, else its trace.',
    scope_activity LowCardinality(String),
    scope_failed UInt8,
    scope_hint LowCardinality(String),
    path Array(UInt32) COMMENT 'The activities around it, the nearest last.',
    hint LowCardinality(String) COMMENT 'Of a call: of the nearest step inside of its scope; of a tool: delegate, where it hands over.',
    hint_source LowCardinality(String),
    told LowCardinality(String) COMMENT 'The role that the call, or a span around it, names.',
    own_hint LowCardinality(String) COMMENT 'The role that its operation or its model says.',
    is_main UInt8 COMMENT 'It generates, and may be a turn of the loop of its scope.',
    calls_tools UInt8,
    tells_calls UInt8 COMMENT 'It would have said so if it did.',
    reads_results UInt8 COMMENT 'Its prompt ends in a turn with results of tools.',
    tells_prompt UInt8 COMMENT 'It would have said so if it did.',
    has_history UInt8
)
ENGINE = Memory
