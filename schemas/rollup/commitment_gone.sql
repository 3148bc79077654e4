-- One row per line that a period of a commitment no longer has.
INSERT INTO capacity_lines (
    tenant, hour, pool, trace_id, span_id, part, kind, component, sub_component, unit, segment, rating_run, version,
    is_deleted
)
SELECT
    lines.tenant,
    lines.hour,
    lines.pool,
    lines.trace_id,
    lines.span_id,
    lines.part,
    lines.kind,
    lines.component,
    lines.sub_component,
    lines.unit,
    lines.segment,
    lines.rating_run,
    {version:UInt64},
    1
FROM (
    SELECT
        tenant,
        hour,
        pool,
        trace_id,
        span_id,
        part,
        kind,
        component,
        sub_component,
        unit,
        segment,
        rating_run
    FROM capacity_lines FINAL
    WHERE startsWith(kind, 'commit_')
        AND hour >= (SELECT min(pot_since) FROM rollup_commitment_windows)
        AND hour < (SELECT max(pot_until) FROM rollup_commitment_windows)
) AS lines
ASOF INNER JOIN (
    SELECT DISTINCT
        tenant,
        commitment,
        pot_since,
        pot_until
    FROM rollup_commitment_windows
) AS pots ON pots.tenant = lines.tenant AND pots.commitment = lines.pool AND pots.pot_since <= lines.hour
WHERE lines.hour < pots.pot_until
    AND (lines.tenant, lines.hour, lines.pool, lines.trace_id, lines.span_id, lines.part, lines.kind, lines.component, lines.sub_component, lines.unit, lines.segment) NOT IN (
        SELECT
            tenant,
            hour,
            pool,
            trace_id,
            span_id,
            part,
            kind,
            component,
            sub_component,
            unit,
            segment
        FROM rollup_commitment_lines
    )
