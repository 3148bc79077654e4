-- One row per call, or part of a call, that is said to have cost something: what each of its lines has of that; scratch.
CREATE TABLE IF NOT EXISTS rollup_reported (
    number UInt32,
    part UInt16,
    amounts Array(Nullable(Decimal(38, 18)))
)
ENGINE = Memory
