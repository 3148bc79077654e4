-- A price may depend on the region that a call was served in.
ALTER TABLE model_resolution
    ADD COLUMN IF NOT EXISTS region LowCardinality(String) AFTER host
