-- One row per call, part of a call, or review of a trace: what it cost by itself, capacity by the hour left aside.
SELECT
    span_id,
    kind,
    role,
    bearing,
    borne_by,
    waste,
    tokens,
    has(lines.status, 'unpriced') AS is_unpriced,
    toUInt64(arraySum((segment, quantity) -> if(segment = 'undelivered', quantity, 0), lines.segment, lines.quantity)) AS cancelled,
    ${components: {name}},
    total,
    estimated
FROM call_costs FINAL
-- Of a key, which no version of a row differs in: the wide columns are read where its rows are alone.
PREWHERE tenant = {tenant:String}
    AND trace_id = {trace_id:String}
    AND hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND toStartOfHour({until:DateTime64(9)})
ORDER BY
    span_id,
    part
-- A few rows are not worth a second thread.
SETTINGS max_threads = 1
