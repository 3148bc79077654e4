-- When the first span of a trace came: by that it is told which traces have lost spans to retention.
ALTER TABLE trace_extents
    ADD COLUMN IF NOT EXISTS received SimpleAggregateFunction(min, DateTime64(6)) DEFAULT since AFTER until
