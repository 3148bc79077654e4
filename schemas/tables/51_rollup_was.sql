-- One row per row of `call_costs` of the batch as it was before the running rollup, where the batch is small; scratch.
CREATE TABLE IF NOT EXISTS rollup_was AS call_costs
ENGINE = Memory
