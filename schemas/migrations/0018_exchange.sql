-- What the price book states in another currency: hours of capacity, and what was promised; and fixed costs.
ALTER TABLE capacity_pools
    ADD COLUMN IF NOT EXISTS costs Array(Tuple(DateTime, Decimal(38, 18))) COMMENT 'From when on an hour costs what, where that changes with a rate of exchange; empty: always hourly_cost. Of a fixed cost: what is charged for the time until the next.' AFTER grid_g_per_kwh,
    ADD COLUMN IF NOT EXISTS kind LowCardinality(String) COMMENT 'fixed: what is paid whoever calls; empty: capacity.' AFTER costs,
    ADD COLUMN IF NOT EXISTS share_by LowCardinality(String) COMMENT 'How a fixed cost is shared among the calls of an hour: calls or tokens; empty: it is not.' AFTER kind,
    ADD COLUMN IF NOT EXISTS team String DEFAULT '*' COMMENT 'Whose fixed cost it is: a glob, as the next.' AFTER share_by,
    ADD COLUMN IF NOT EXISTS service String DEFAULT '*' AFTER team;
ALTER TABLE commitments
    ADD COLUMN IF NOT EXISTS pricing_currency LowCardinality(String) DEFAULT 'USD' COMMENT 'In which the price book states the price.' AFTER scheme,
    ADD COLUMN IF NOT EXISTS pricing_price Decimal(38, 18) DEFAULT price COMMENT 'As it is stated; `price` is that at the rate of the beginning.' AFTER pricing_currency
