-- One row per row of `call_costs` of the batch as the running rollup leaves it, where the batch is small; scratch.
CREATE TABLE IF NOT EXISTS rollup_costs AS call_costs
ENGINE = Memory
