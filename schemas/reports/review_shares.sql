-- One row per review of several requests that a trace has a share in: of which session, and what the share is.
WITH
    named AS (
        SELECT
            toStartOfHour(ended_at) AS hour,
            review_trace_id,
            review_span_id,
            kind,
            session
        FROM reviewed FINAL
        WHERE tenant = {tenant:String} AND trace_id = {trace_id:String}
    )
SELECT
    named.session AS session,
    named.kind AS kind,
    toUInt64(sum(shares.quantity)) AS seconds,
    sum(shares.amount) AS amount,
    countIf(isNull(shares.amount)) > 0 AS is_unknown
FROM capacity_lines AS shares FINAL
INNER JOIN named
    ON named.review_trace_id = shares.review_trace_id
    AND named.review_span_id = shares.review_span_id
WHERE shares.tenant = {tenant:String}
    AND shares.trace_id = {trace_id:String}
    AND shares.kind = 'review_share'
    AND shares.hour IN (SELECT hour FROM named)
GROUP BY
    shares.hour,
    shares.review_trace_id,
    shares.review_span_id,
    session,
    kind
ORDER BY
    shares.hour,
    session,
    shares.review_trace_id,
    shares.review_span_id
