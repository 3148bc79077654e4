-- One row per period that is worked out again: what was promised, used, left and overrun.
INSERT INTO commitment_periods
WITH
    toInt256('1000000000000000000000000000') AS whole,
    windows AS (
        SELECT
            windows.tenant AS tenant,
            windows.commitment AS commitment,
            windows.pot_since AS pot_since,
            windows.pot_until AS pot_until,
            windows.settled AS settled,
            windows.fee AS fee,
            isNull(windows.quantity) AS is_spend,
            windows.is_linear AS is_linear,
            ifNull(windows.quantity, 0) AS units_promised,
            intDiv(flows.taken, whole) AS units_taken,
            intDiv(flows.offered, whole) AS units_offered,
            -- A unit at utilisation u costs r·(2 - u): r in its component, the rest is the price of what stood idle.
            -- Where it was used by shares of tokens, its utilisation is known to 22 digits.
            flows.taken % whole = 0 AS is_exact,
            intDiv(flows.taken, greatest(units_promised, 1) * 100000) AS utilised,
            if(
                is_exact,
                fee * units_taken * (2 * units_promised - units_taken),
                fee * utilised * (2 * toInt256('10000000000000000000000') - utilised)
            ) AS dividend,
            if(
                is_exact,
                greatest(units_promised * units_promised, 1),
                toInt256('10000000000000000000000') * toInt256('10000000000000000000000')
            ) AS divisor,
            intDiv(dividend, divisor) AS floor,
            multiIf(
                NOT is_linear OR units_taken >= units_promised, fee,
                (dividend % divisor) * 2 > divisor OR ((dividend % divisor) * 2 = divisor AND floor % 2 = 1), floor + 1,
                floor
            ) AS owed
        FROM rollup_commitment_windows AS windows
        LEFT JOIN (
            SELECT
                tenant,
                commitment,
                since,
                sum(taken) AS taken,
                sum(offered) AS offered
            FROM rollup_commitment_flows
            GROUP BY
                tenant,
                commitment,
                since
        ) AS flows ON flows.tenant = windows.tenant AND flows.commitment = windows.commitment AND flows.since = windows.since
    ),
    pots AS (
        SELECT
            tenant,
            commitment,
            pot_since,
            any(pot_until) AS pot_until,
            any(is_spend) AS is_spend,
            any(settled) AS settled,
            sum(fee) AS fee,
            sum(owed) AS owed,
            sum(units_promised) AS quantity,
            sum(units_taken) AS taken,
            sum(units_offered) AS offered
        FROM windows
        GROUP BY
            tenant,
            commitment,
            pot_since
    ),
    made AS (
        SELECT
            amounts.tenant AS tenant,
            amounts.commitment AS commitment,
            amounts.pot_since AS pot_since,
            sumIf(ifNull(amounts.amount, 0), amounts.kind = 'commit_used') AS used,
            sumIf(ifNull(amounts.amount, 0), amounts.kind = 'commit_overflow') AS overflow,
            intDiv(sumIf(ifNull(committed.cost, 0) * amounts.share, amounts.kind = 'commit_used'), whole) AS covered_cost,
            countIf(isNull(committed.cost)) AS unpriced
        FROM rollup_commitment_amounts AS amounts
        INNER JOIN rollup_committed AS committed ON committed.line = amounts.line
        GROUP BY
            tenant,
            commitment,
            pot_since
    )
SELECT
    pots.tenant,
    pots.commitment,
    pots.pot_since,
    pots.pot_until,
    if(pots.is_spend, 'spend', 'usage'),
    pots.settled,
    toDecimal128(divideDecimal(toDecimal256(pots.fee, 0), toDecimal256(1000000000000000000, 0), 18), 18) AS fee_money,
    if(pots.is_spend, toDecimal128(fee_money, 6), toDecimal128(divideDecimal(toDecimal256(pots.quantity, 0), toDecimal256(1000000, 0), 6), 6)),
    if(
        pots.is_spend,
        toDecimal128(used_money, 6),
        toDecimal128(divideDecimal(toDecimal256(pots.taken, 0), toDecimal256(1000000, 0), 6), 6)
    ),
    if(
        pots.is_spend,
        toDecimal128(overflow_money, 6),
        toDecimal128(divideDecimal(toDecimal256(pots.offered - pots.taken, 0), toDecimal256(1000000, 0), 6), 6)
    ),
    toDecimal128(divideDecimal(toDecimal256(made.used, 0), toDecimal256(1000000000000000000, 0), 18), 18) AS used_money,
    if(pots.settled, left_money, 0),
    if(
        pots.settled,
        0,
        toDecimal128(
            divideDecimal(toDecimal256(greatest(pots.owed - made.used, 0), 0), toDecimal256(1000000000000000000, 0), 18), 18
        ) AS left_money
    ),
    toDecimal128(divideDecimal(toDecimal256(made.overflow, 0), toDecimal256(1000000000000000000, 0), 18), 18) AS overflow_money,
    toDecimal128(divideDecimal(toDecimal256(made.covered_cost, 0), toDecimal256(1000000000000000000, 0), 18), 18),
    multiIf(
        pots.is_spend AND pots.fee > 0, toFloat64(made.used) / toFloat64(pots.fee),
        pots.quantity > 0, toFloat64(pots.taken) / toFloat64(pots.quantity),
        NULL
    ),
    multiIf(
        made.covered_cost = 0, NULL,
        pots.is_spend, toFloat64(made.used) / toFloat64(made.covered_cost),
        toFloat64(pots.fee) * toFloat64(pots.taken) / (toFloat64(pots.quantity) * toFloat64(made.covered_cost))
    ),
    made.unpriced,
    {run:String},
    {version:UInt64},
    0
FROM pots
LEFT JOIN made ON made.tenant = pots.tenant AND made.commitment = pots.commitment AND made.pot_since = pots.pot_since
