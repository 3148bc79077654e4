-- One row per line, commitment and kind: whole units of 1e-18. While a commitment lasts, a line is rounded by itself, half
-- to even; what was promised and used up, and what is beyond it, is divided, the largest remainder first, ties by line.
INSERT INTO rollup_commitment_amounts
WITH
    toInt256('1000000000000000000000000000') AS whole,
    flows AS (
        SELECT
            flow.line AS line,
            flow.tenant AS tenant,
            flow.commitment AS commitment,
            flow.pot_since AS pot_since,
            flow.share AS share,
            flow.taken AS taken,
            windows.fee AS fee,
            isNull(windows.quantity) AS is_spend,
            -- Of capacity, the fee by units; of spending, what is left of the price.
            if(is_spend, taken * windows.kept, fee * taken) AS dividend,
            if(is_spend, whole * 1000000, ifNull(windows.quantity, 1) * whole) AS divisor,
            intDiv(dividend, divisor) AS floor,
            dividend - floor * divisor AS rest,
            floor + (rest * 2 > divisor OR (rest * 2 = divisor AND floor % 2 = 1)) AS rounded,
            sum(flow.taken) OVER of_window AS all_taken,
            sum(rounded) OVER of_window AS all_rounded,
            sum(dividend) OVER of_window AS all_dividend,
            intDiv(all_dividend, divisor) AS all_floor,
            all_dividend - all_floor * divisor AS all_rest,
            all_floor + (all_rest * 2 > divisor OR (all_rest * 2 = divisor AND all_floor % 2 = 1)) AS due,
            flow.is_full OR (is_spend AND due >= fee) OR all_rounded > fee AS is_used_up,
            concat(flow.commitment, '/', toString(flow.since)) AS window_name,
            committed.trace_id AS trace_id,
            committed.span_id AS span_id,
            committed.part AS part,
            committed.component AS component,
            committed.sub_component AS sub_component,
            committed.unit AS unit,
            committed.segment AS segment
        FROM rollup_commitment_flows AS flow
        INNER JOIN rollup_commitment_windows AS windows
            ON windows.tenant = flow.tenant AND windows.commitment = flow.commitment AND windows.since = flow.since
        INNER JOIN rollup_committed AS committed ON committed.line = flow.line
        WINDOW of_window AS (PARTITION BY flow.commitment, flow.since)
    ),
    beyond AS (
        SELECT
            line,
            argMax(tenant, rank) AS tenant,
            argMax(commitment, rank) AS commitment,
            argMax(pot_since, rank) AS pot_since,
            whole - sum(share) AS left_over
        FROM rollup_commitment_flows
        GROUP BY line
        HAVING left_over > 0
    ),
    pots AS (
        SELECT
            line, tenant, commitment, pot_since, 'commit_used' AS kind, window_name AS pot_name,
            if(is_spend, intDiv(share * fee, greatest(due, fee, 1)), share) AS share, fee AS pot, taken AS weight,
            all_taken AS all_weight, trace_id, span_id, part, component, sub_component, unit, segment
        FROM flows
        WHERE is_used_up
        UNION ALL
        SELECT
            line, tenant, commitment, pot_since, 'commit_overflow', window_name,
            share - intDiv(share * fee, greatest(due, fee, 1)), greatest(due - fee, 0), taken,
            all_taken, trace_id, span_id, part, component, sub_component, unit, segment
        FROM flows
        WHERE is_used_up AND is_spend
        UNION ALL
        SELECT
            beyond.line, beyond.tenant, beyond.commitment, beyond.pot_since, 'commit_overflow',
            concat(beyond.commitment, '/', toString(beyond.pot_since), '/beyond'), beyond.left_over,
            intDiv(all_weight, whole) + (
                (all_weight % whole) * 2 > whole OR ((all_weight % whole) * 2 = whole AND intDiv(all_weight, whole) % 2 = 1)
            ),
            assumeNotNull(committed.cost) * beyond.left_over AS weight,
            sum(weight) OVER (PARTITION BY beyond.commitment, beyond.pot_since) AS all_weight,
            committed.trace_id, committed.span_id, committed.part, committed.component, committed.sub_component,
            committed.unit, committed.segment
        FROM beyond
        INNER JOIN rollup_committed AS committed ON committed.line = beyond.line
        WHERE isNotNull(committed.cost)
    ),
    split AS (
        SELECT
            line,
            tenant,
            commitment,
            pot_since,
            kind,
            share,
            greatest(all_weight, 1) AS divisor,
            intDiv(pot * weight, divisor) AS floor,
            -- What nothing was taken for divides among none.
            if(all_weight = 0, 0, pot - sum(floor) OVER of_pot) AS left_over,
            row_number() OVER (
                PARTITION BY pot_name, kind
                ORDER BY (pot * weight) % divisor DESC, trace_id, span_id, part, component, sub_component, unit, segment
            ) AS place
        FROM pots
        WINDOW of_pot AS (PARTITION BY pot_name, kind)
    )
SELECT
    line,
    tenant,
    commitment,
    pot_since,
    kind,
    share,
    floor + (place <= left_over)
FROM split
UNION ALL
SELECT
    line,
    tenant,
    commitment,
    pot_since,
    'commit_used',
    share,
    rounded
FROM flows
WHERE NOT is_used_up
UNION ALL
SELECT
    beyond.line,
    beyond.tenant,
    beyond.commitment,
    beyond.pot_since,
    'commit_overflow',
    beyond.left_over,
    NULL
FROM beyond
INNER JOIN rollup_committed AS committed ON committed.line = beyond.line
WHERE isNull(committed.cost)
