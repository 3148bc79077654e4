-- One row per line that one commitment covers: the share of what earlier ones have left of it. Where more is asked for in
-- a settlement period than was promised, all are covered by the same share: nothing depends on who came first.
INSERT INTO rollup_commitment_flows
WITH
    toInt256('1000000000000000000000000000') AS whole,
    (
        SELECT any(weights)
        FROM commitments FINAL
        WHERE rating_run = {run:String}
            AND commitment = {commitment:String}
    ) AS weight_of,
    used_up AS (
        SELECT
            line,
            sum(share) AS share
        FROM rollup_commitment_flows
        GROUP BY line
    ),
    asking AS (
        SELECT
            line,
            tenant,
            toDateTime(started_at) AS moment,
            if(
                empty(weight_of),
                ifNull(cost, 0),
                toInt256(intDiv(toInt256(toDecimal256(quantity, 6) * 1000000) * toInt256(weight_of[unit]), 1000000))
            ) AS weight
        FROM rollup_committed
        WHERE has(commitments, {commitment:String})
            AND if(empty(weight_of), isNotNull(cost), mapContains(weight_of, unit))
    ),
    offered AS (
        SELECT
            asking.line AS line,
            asking.tenant AS tenant,
            windows.rank AS rank,
            windows.since AS since,
            windows.pot_since AS pot_since,
            windows.quantity AS quantity,
            asking.weight AS weight,
            whole - used_up.share AS left_over,
            sum(asking.weight * (whole - used_up.share)) OVER (PARTITION BY windows.since) AS demand
        FROM asking
        ASOF INNER JOIN (
            SELECT
                tenant,
                rank,
                since,
                until,
                pot_since,
                quantity
            FROM rollup_commitment_windows
            WHERE commitment = {commitment:String}
        ) AS windows
            ON windows.tenant = asking.tenant AND windows.since <= asking.moment
        LEFT JOIN used_up ON used_up.line = asking.line
        WHERE asking.moment < windows.until
            AND used_up.share < whole
    )
SELECT
    line,
    tenant,
    {commitment:String},
    rank,
    since,
    pot_since,
    if(
        isNull(quantity) OR demand <= assumeNotNull(quantity) * whole,
        left_over,
        intDiv(left_over * assumeNotNull(quantity) * whole, greatest(demand, 1))
    ) AS share,
    weight * share,
    weight * left_over,
    isNotNull(quantity) AND demand >= assumeNotNull(quantity) * whole
FROM offered
