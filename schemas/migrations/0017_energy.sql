-- What power a pool of capacity takes, and what a kilowatt-hour stands for where it is.
ALTER TABLE capacity_pools
    ADD COLUMN IF NOT EXISTS kilowatts Nullable(Decimal(38, 18)) COMMENT 'Power as the price book states it, with cooling and losses; NULL: it does not.' AFTER valid_to,
    ADD COLUMN IF NOT EXISTS grid_g_per_kwh Nullable(Decimal(38, 18)) COMMENT 'Grams of CO2 equivalent per kilowatt-hour; NULL: nobody says.' AFTER kilowatts
