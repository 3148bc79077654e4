-- What a call is said to have cost may be said in another currency than that of the book.
ALTER TABLE call_costs
    ADD COLUMN IF NOT EXISTS reported_currency LowCardinality(String) COMMENT 'In which currency; empty: in that of the catalogue.' AFTER cost_reporter
