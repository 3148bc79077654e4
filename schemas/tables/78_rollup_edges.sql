-- One row per span of a trace of the batch in which somebody has to ask who encloses whom: its place, and what its name hints at; scratch.
CREATE TABLE IF NOT EXISTS rollup_edges (
    number UInt32,
    parent UInt32 COMMENT '0 where there is no parent, or none that has arrived.',
    trace Int64 COMMENT 'Stands for its trace, as a scope: below zero, where those of spans are above.',
    asks UInt8 COMMENT 'What encloses a call of its trace decides whether that bears cost, or its role.',
    activity LowCardinality(String),
    failed UInt8,
    hint LowCardinality(String) COMMENT 'The role that its activity or its name says its calls have.',
    hint_source LowCardinality(String)
)
ENGINE = Memory
