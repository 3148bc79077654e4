-- Columns that name no codec take half the room; what is stored already gets it when it is merged.
ALTER TABLE llm_calls
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE touched_traces
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE responses
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE trace_extents
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE retellings
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE call_costs
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE tcoai_by_trace
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE tcoai_by_hour
    MODIFY SETTING default_compression_codec = 'ZSTD(1)'
