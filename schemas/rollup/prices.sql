-- One row per price list, cell and unit. Cell: time of day, then size of the request.
INSERT INTO rollup_prices
SELECT
    toUInt64(rate) * 4294967296 + toUInt64(cell) * 65536 + unit_number,
    unit,
    toUInt16(dense_rank() OVER (ORDER BY unit)) AS unit_number,
    price,
    list_price,
    units_per_price,
    owned
FROM (
    SELECT
        rate,
        units,
        per,
        is_own,
        toUInt16(cell_number) AS cell,
        cell_prices,
        cell_list_prices
    FROM rollup_rates
    ARRAY JOIN
        arrayEnumerate(prices) AS cell_number,
        prices AS cell_prices,
        list_prices AS cell_list_prices
)
ARRAY JOIN
    units AS unit,
    per AS units_per_price,
    is_own AS owned,
    cell_prices AS price,
    cell_list_prices AS list_price
