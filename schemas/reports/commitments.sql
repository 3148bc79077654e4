-- One row per commitment and period, or month: what was promised, how much of it was used, and what the rest cost.
SELECT
    commitment,
    any(kind) AS kind,
    min(since) AS began,
    max(until) AS ended,
    min(settled) AS settled,
    sum(fee) AS fee,
    sum(quantity) AS promised,
    sum(covered) AS covered,
    sum(beyond) AS beyond,
    sum(used) AS used,
    sum(unused) AS unused,
    sum(at_risk) AS at_risk,
    sum(overflow) AS overflow,
    sum(covered_cost) AS covered_cost,
    used + unused + at_risk AS paid,
    covered_cost - paid AS saving,
    if(promised = 0, NULL, toFloat64(covered) / toFloat64(promised)) AS utilisation,
    -- From which utilisation on it costs less than the prices that hold without it, by what it covered.
    multiIf(
        covered_cost = 0, NULL,
        kind = 'spend', toFloat64(used) / toFloat64(covered_cost),
        promised = 0, NULL,
        toFloat64(fee) * toFloat64(covered) / (toFloat64(promised) * toFloat64(covered_cost))
    ) AS break_even,
    sum(unpriced) AS unpriced
FROM (
    SELECT
        *,
        if({per:String} = 'month', toDateTime(toStartOfMonth(since)), since) AS period
    FROM commitment_periods FINAL
    WHERE tenant = {tenant:String}
        AND since < {until:DateTime64(6)}
        AND until > {since:DateTime64(6)}
)
GROUP BY
    commitment,
    period
ORDER BY
    commitment,
    period
