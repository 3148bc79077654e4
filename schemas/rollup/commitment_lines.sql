-- One row per line that the commitments give: what they cover and what is beyond them, in the component of the line; and,
-- once a period is over, what nobody used, shared by those who used the rest, or a row of no trace.
INSERT INTO rollup_commitment_lines
WITH
    toInt256('1000000000000000000000000000') AS whole,
    pots AS (
        SELECT
            tenant,
            commitment,
            since,
            toStartOfHour(until - INTERVAL 1 SECOND) AS last_hour,
            toInt256(toDecimal256(unused, 18) * toInt256(1000000000000000000)) AS pot
        FROM commitment_periods FINAL
        WHERE version = {version:UInt64}
            AND unused > 0
            AND (tenant, commitment, since) IN (SELECT tenant, commitment, pot_since FROM rollup_commitment_windows)
    ),
    calls AS (
        SELECT
            flow.tenant AS tenant,
            flow.commitment AS commitment,
            flow.pot_since AS pot_since,
            committed.trace_id AS trace_id,
            committed.span_id AS span_id,
            committed.part AS part,
            sum(flow.taken) AS call_taken,
            any(committed.operation) AS operation,
            any(committed.waste) AS waste,
            any(committed.stream_end) AS stream_end,
            any(committed.reasoning_visibility) AS reasoning_visibility,
            any(committed.currency) AS currency,
            any(committed.service) AS service,
            any(committed.provider) AS provider,
            any(committed.model) AS model,
            any(committed.role) AS role,
            any(committed.team) AS team,
            any(committed.feature) AS feature,
            any(committed.customer) AS customer,
            any(committed.project) AS project,
            any(committed.cost_center) AS cost_center,
            any(committed.environment) AS environment,
            any(committed.user) AS user,
            any(committed.session) AS session
        FROM rollup_commitment_flows AS flow
        INNER JOIN rollup_committed AS committed ON committed.line = flow.line
        GROUP BY
            tenant,
            commitment,
            pot_since,
            trace_id,
            span_id,
            part
        HAVING call_taken > 0
    ),
    unused AS (
        SELECT
            pots.tenant AS tenant,
            pots.commitment AS commitment,
            pots.since AS pot_since,
            pots.last_hour AS last_hour,
            pots.pot AS pot,
            if(calls.call_taken = 0, 1, calls.call_taken) AS taken,
            sum(taken) OVER (PARTITION BY pots.tenant, pots.commitment, pots.since) AS all_taken,
            calls.trace_id AS trace_id,
            calls.span_id AS span_id,
            calls.part AS part,
            calls.operation AS operation,
            calls.waste AS waste,
            calls.stream_end AS stream_end,
            calls.reasoning_visibility AS reasoning_visibility,
            if(calls.currency = '', (SELECT any(currency) FROM rating_runs WHERE rating_run = {run:String}), calls.currency) AS currency,
            calls.service AS service,
            calls.provider AS provider,
            calls.model AS model,
            calls.role AS role,
            calls.team AS team,
            calls.feature AS feature,
            calls.customer AS customer,
            calls.project AS project,
            calls.cost_center AS cost_center,
            calls.environment AS environment,
            calls.user AS user,
            calls.session AS session,
            '' AS review_kind,
            'commit_unused' AS kind,
            'commitment' AS unit,
            '' AS segment,
            toDecimal64(1, 6) AS quantity
        FROM pots
        LEFT JOIN calls ON calls.tenant = pots.tenant AND calls.commitment = pots.commitment AND calls.pot_since = pots.since
    ),
    claimed AS (
        SELECT
            unused.*,
            arrayFirstIndex(claim -> claim > 0, [${components: greatest({claimed}, 0)}]) AS first_claim,
            [${components: '{name}'}][first_claim] AS component,
            [${components: {sub_component}}][first_claim] AS sub_component,
            intDiv(pot * taken, all_taken) AS floor,
            pot - sum(floor) OVER of_pot AS left_over,
            row_number() OVER (
                PARTITION BY tenant, commitment, pot_since
                ORDER BY (pot * taken) % all_taken DESC, trace_id, span_id, part
            ) AS place
        FROM unused
        WINDOW of_pot AS (PARTITION BY tenant, commitment, pot_since)
    ),
    amounts AS (
        SELECT
            line,
            tenant,
            commitment,
            kind,
            sum(share) AS share,
            sum(amount) AS amount
        FROM rollup_commitment_amounts
        GROUP BY
            line,
            tenant,
            commitment,
            kind
    )
SELECT
    amounts.tenant,
    committed.hour,
    amounts.commitment,
    committed.trace_id,
    committed.span_id,
    committed.part,
    amounts.kind,
    committed.component,
    committed.sub_component,
    committed.unit,
    committed.segment,
    toDecimal64(roundBankers(divideDecimal(toDecimal256(committed.quantity, 6) * amounts.share, toDecimal256(whole, 0), 12), 6), 6),
    toDecimal128(divideDecimal(toDecimal256(amounts.amount, 0), toDecimal256(1000000000000000000, 0), 18), 18) AS money,
    committed.list_price,
    committed.price,
    committed.per,
    committed.service,
    committed.provider,
    committed.model,
    committed.role,
    committed.team,
    committed.feature,
    committed.customer,
    committed.project,
    committed.cost_center,
    committed.environment,
    committed.user,
    committed.session,
    committed.currency
FROM amounts
INNER JOIN rollup_committed AS committed ON committed.line = amounts.line
WHERE amounts.share > 0
    OR isNull(money)
    OR money > 0
UNION ALL
SELECT
    tenant,
    last_hour,
    commitment,
    trace_id,
    span_id,
    part,
    kind,
    component,
    sub_component,
    unit,
    segment,
    toDecimal64(0, 6),
    toDecimal128(divideDecimal(toDecimal256(floor + (place <= left_over), 0), toDecimal256(1000000000000000000, 0), 18), 18) AS money,
    NULL,
    NULL,
    toUInt32(1),
    service,
    provider,
    model,
    role,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    currency
FROM claimed
WHERE money > 0
