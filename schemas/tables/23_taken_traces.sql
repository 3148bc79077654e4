-- One row per touch that a run of the rollup has taken off the work list; empty between runs.
CREATE TABLE IF NOT EXISTS taken_traces AS touched_traces
ENGINE = MergeTree
ORDER BY (tenant, trace_id)
SETTINGS default_compression_codec = 'ZSTD(1)'
