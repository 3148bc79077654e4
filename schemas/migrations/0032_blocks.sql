-- The spans of a trace are a few rows of each column: what is unpacked to read them is less. What is stored already gets it when it is merged.
ALTER TABLE llm_calls
    MODIFY SETTING min_compress_block_size = 16384
