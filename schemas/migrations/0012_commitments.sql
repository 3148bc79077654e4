-- What calls may be covered by, and what commitments make of their lines; a line beyond them may have no known price.
ALTER TABLE model_resolution
    ADD COLUMN IF NOT EXISTS commitments Array(LowCardinality(String)) COMMENT 'Commitments that may cover it, the first used first.' AFTER pool;
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS commitments Array(LowCardinality(String)) COMMENT 'Commitments that may cover its lines of the status committed, the first used first.' AFTER pool;
ALTER TABLE capacity_lines
    MODIFY COLUMN amount Nullable(Decimal(38, 18)) COMMENT 'NULL where no price is known of what a commitment did not cover.';
ALTER TABLE capacity_lines
    ADD COLUMN IF NOT EXISTS list_price Nullable(Decimal(38, 18)) COMMENT 'Of what a commitment covers, of `per` units, without it.' AFTER amount,
    ADD COLUMN IF NOT EXISTS price Nullable(Decimal(38, 18)) AFTER list_price,
    ADD COLUMN IF NOT EXISTS per UInt32 DEFAULT 1 AFTER price
