-- One row per sum of an hour that the batch changes, but of hours that are summed up whole: what it was, and what comes and goes.
INSERT INTO rollup_sums
WITH
    changed AS (
        SELECT
            ${hour_key}
        FROM rollup_changes
        WHERE (tenant, hour) NOT IN (SELECT tenant, hour FROM rollup_hours)
        GROUP BY ALL
        HAVING sum(lines) != 0
            OR sum(tokens) != 0
            OR sum(amount) != 0
            OR sum(allocated) != 0
            OR sum(estimated) != 0
            OR sum(list_cost) != 0
            OR sum(contracted_cost) != 0
            OR sum(amounts) != 0
            OR sum(list_costs) != 0
            OR sum(contracted_costs) != 0
    ),
    -- What an hour had is one row of it, and how many of its lines have an amount nobody has kept.
    sides AS (
        SELECT
            ${hour_key},
            ifNull(amount, 0) AS amount_part,
            allocated,
            estimated,
            ifNull(list_cost, 0) AS list_part,
            ifNull(contracted_cost, 0) AS contracted_part,
            tokens,
            toInt64(lines) AS lines_part,
            isNotNull(amount) AS had_amount,
            isNotNull(list_cost) AS had_list,
            isNotNull(contracted_cost) AS had_contracted,
            toInt64(0) AS amounts,
            toInt64(0) AS list_costs,
            toInt64(0) AS contracted_costs
        FROM tcoai_by_hour FINAL
        WHERE rating_run = {run:String}
            AND (${hour_key}) IN (SELECT * FROM changed)
        UNION ALL
        SELECT
            ${hour_key},
            amount,
            allocated,
            estimated,
            list_cost,
            contracted_cost,
            tokens,
            lines,
            0,
            0,
            0,
            amounts,
            list_costs,
            contracted_costs
        FROM rollup_changes
        WHERE (${hour_key}) IN (SELECT * FROM changed)
    )
SELECT
    ${hour_key},
    if(max(had_amount) OR sum(amounts) > 0, sum(amount_part), NULL),
    sum(allocated),
    sum(estimated),
    if(max(had_list) OR sum(list_costs) > 0, sum(list_part), NULL),
    if(max(had_contracted) OR sum(contracted_costs) > 0, sum(contracted_part), NULL),
    sum(tokens),
    sum(lines_part) AS lines_left,
    -- Whether any line that is left has an amount, if one had and some have gone; and what cannot be, if the sums were right.
    (lines_left > 0 AND arrayExists(
        (had, change, came) -> if(had, change < 0 AND came = 0, change < 0),
        [max(had_amount), max(had_list), max(had_contracted)],
        [sum(amounts), sum(list_costs), sum(contracted_costs)],
        [sumIf(amounts, amounts > 0), sumIf(list_costs, list_costs > 0), sumIf(contracted_costs, contracted_costs > 0)]
    ))
        OR (lines_left = 0 AND (sum(amount_part) != 0 OR sum(list_part) != 0 OR sum(contracted_part) != 0 OR sum(tokens) != 0))
        OR lines_left < 0
FROM sides
GROUP BY ALL
