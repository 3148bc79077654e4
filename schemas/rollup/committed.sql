-- One row per line of a call that the commitments may cover whose periods are worked out again.
INSERT INTO rollup_committed
SELECT
    rowNumberInAllBlocks() + 1,
    *
FROM (
    SELECT
        tenant,
        hour,
        trace_id,
        span_id,
        part,
        started_at,
        commitments,
        lines.component,
        lines.sub_component,
        lines.unit,
        lines.segment,
        lines.quantity,
        lines.list_price,
        lines.price,
        lines.per,
        toInt256(
            if(
                lines.kind = 'token',
                toDecimal256(toUInt64(lines.quantity) * lines.price, 18),
                toDecimal256(
                    roundBankers(divideDecimal(toDecimal256(lines.quantity, 6) * lines.price, toDecimal256(lines.per, 0), 36), 18),
                    18
                )
            ) * toInt256(1000000000000000000)
        ) AS cost,
        operation,
        waste,
        stream_end,
        reasoning_visibility,
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
    FROM call_costs FINAL
    ARRAY JOIN lines
    WHERE hour >= (SELECT min(pot_since) FROM rollup_commitment_windows)
        AND hour < (SELECT max(pot_until) FROM rollup_commitment_windows)
        AND notEmpty(commitments)
        AND lines.status = 'committed'
)
