"""What lines of cost are worth by the prices of a batch, as SQL: of what is rated, and of what is rated again."""

VALUED = """-- Prices by one number each: a constant is looked up faster than a table is joined.
    (
        SELECT (groupArray(toString(unit)), groupArray(unit_number))
        FROM (SELECT DISTINCT unit, unit_number FROM rollup_prices)
    ) AS units_known,
    (
        SELECT (groupArray(place), groupArray(price), groupArray(list_price), groupArray(per), groupArray(is_own))
        FROM rollup_prices
    ) AS listed,
    placed AS (
        SELECT
            priced.*,
            arrayMap(
                unit -> transform(
                    cell + transform(unit, arrayPushFront(units_known.1, ''), arrayPushFront(units_known.2, 0), 0),
                    arrayPushFront(listed.1, 0),
                    arrayPushFront(arrayEnumerate(listed.1), 0),
                    0
                ),
                units
            ) AS at
        FROM priced
    ),
    valued AS (
        SELECT
            placed.*,
            arrayMap(each -> if(each = 0, NULL, listed.3[each]), at) AS list_prices,
            arrayMap(each -> greatest(listed.4[each], 1), at) AS per,
            arrayMap(
                (each, unit, segment, kind) -> multiIf(
                    is_shared AND kind = 'review', 'shared',
                    (is_free AND segment != 'attempt') OR (unit = 'tool_use_prompt' AND is_tool_prompt_free), 'free',
                    pool != '', 'allocated',
                    -- Whether an attempt is billed that got no answer, nobody knows.
                    segment != 'attempt'
                        AND arrayExists(one -> if(one.is_spend, each > 0, has(one.units, unit)), commitments),
                    'committed',
                    each = 0, 'unpriced',
                    listed.5[each], 'priced',
                    'fallback'
                ),
                at,
                units,
                segments,
                kinds
            ) AS statuses,
            arrayMap(
                (each, status) -> multiIf(
                    status IN ('free', 'allocated'), toDecimal128(0, 18),
                    each > 0, listed.2[each],
                    NULL
                ),
                at,
                statuses
            ) AS prices
        FROM placed
    ),
    summed AS (
        SELECT
            valued.*,
            arrayMap(
                (kind, quantity, price, per) -> if(
                    kind = 'token',
                    toUInt64(quantity) * price,
                    toDecimal128(
                        roundBankers(divideDecimal(toDecimal256(quantity, 6) * price, toDecimal256(per, 0), 36), 18),
                        18
                    )
                ),
                kinds,
                quantities,
                prices,
                per
            ) AS contracted_amounts,
            arrayMap(
                (status, amount) -> if(status = 'committed', toDecimal128(0, 18), amount),
                statuses,
                contracted_amounts
            ) AS amounts,
            arrayMap(
                (kind, quantity, price, per, status) -> multiIf(
                    status = 'free', toDecimal128(0, 18),
                    kind = 'token', toUInt64(quantity) * price,
                    toDecimal128(
                        roundBankers(divideDecimal(toDecimal256(quantity, 6) * price, toDecimal256(per, 0), 36), 18),
                        18
                    )
                ),
                kinds,
                quantities,
                list_prices,
                per,
                statuses
            ) AS list_amounts
        FROM valued
    )"""
"""The steps from `priced`, whose lines are known, to `summed`: their prices, states and amounts."""
