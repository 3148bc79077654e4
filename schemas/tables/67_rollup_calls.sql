-- One row per row of `llm_calls` of the batch, where the batch is small; scratch. It is made anew whenever that gets a column,
-- with the view that fills it.
CREATE TABLE IF NOT EXISTS rollup_calls AS llm_calls
ENGINE = Memory
