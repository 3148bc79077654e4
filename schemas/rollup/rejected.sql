-- One row per call of the batch whose output was rejected: the response that was named; else of the calls beneath the section
-- that ended before, the latest that was neither a check nor memory; or all of them. And likewise per call that broke and whose
-- beginning is used.
INSERT INTO rollup_rejected
WITH RECURSIVE
    rejection AS (
        SELECT
            tenant,
            trace_id,
            span_id,
            -- What stands between is no section.
            if(own_parent_id = '', parent_span_id, own_parent_id) AS section,
            started_at,
            if(reject_reason != '', 'rejected', 'accepted') AS verdict,
            if(reject_reason != '', reject_extent, '') AS extent,
            if(reject_reason != '', rejected_response, accepted_response) AS named_response
        FROM llm_calls FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND (reject_reason != '' OR report = 'acceptance')
            -- The section, and the calls beneath it, are not known any more.
            AND (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
            AND part = 0
    ),
    span AS (
        SELECT
            number,
            tenant,
            trace_id,
            span_id,
            parent_span_id
        FROM rollup_spans
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rejection)
    ),
    -- Who reports on another process's request knows no section of it: it is rejected as a whole, with all that has no parent here.
    highest AS (
        SELECT DISTINCT
            rejection.tenant AS tenant,
            rejection.trace_id AS trace_id,
            rejection.span_id AS rejected_by,
            span.number AS number
        FROM rejection
        INNER JOIN span
            ON span.tenant = rejection.tenant AND span.trace_id = rejection.trace_id
        LEFT ANY JOIN span AS known
            ON known.tenant = rejection.tenant
            AND known.trace_id = rejection.trace_id
            AND known.span_id = rejection.section
        WHERE known.number = 0
            OR span.number = known.number
    ),
    edge AS (
        SELECT
            child.number AS number,
            parent.number AS parent
        FROM span AS child
        INNER JOIN span AS parent
            ON parent.tenant = child.tenant AND parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
        UNION ALL
        SELECT
            number,
            parent
        FROM rollup_bridges
    ),
    beneath AS (
        SELECT
            highest.rejected_by AS rejected_by,
            highest.number AS number,
            toUInt16(0) AS distance
        FROM highest
        UNION ALL
        SELECT
            beneath.rejected_by AS rejected_by,
            edge.number AS number,
            toUInt16(beneath.distance + 1) AS distance
        FROM beneath
        INNER JOIN edge ON edge.parent = beneath.number
        -- Spans that claim to enclose each other would walk for ever.
        WHERE beneath.distance < 256
    ),
    candidate AS (
        SELECT DISTINCT
            rejection.tenant AS tenant,
            rejection.trace_id AS trace_id,
            rejection.span_id AS rejected_by,
            rejection.verdict AS verdict,
            rejection.extent AS extent,
            rejection.named_response AS named_response,
            call.number AS number,
            call.ended_at AS ended_at,
            call.span_id AS span_id,
            call.response_id AS response_id,
            call.class = 'embedding' OR decided.role IN ('verify', 'guardrail', 'memory') AS is_no_answer
        FROM rejection
        INNER JOIN beneath ON beneath.rejected_by = rejection.span_id
        INNER JOIN rollup_spans AS call
            ON call.number = beneath.number AND call.tenant = rejection.tenant AND call.trace_id = rejection.trace_id
        INNER JOIN rollup_decided AS decided ON decided.number = call.number
        WHERE decided.counts
            AND call.ended_at <= rejection.started_at
            AND (rejection.verdict = 'rejected' OR call.broke)
    )
SELECT DISTINCT
    number,
    verdict
FROM candidate
WHERE named_response = ''
    AND extent = 'section'
UNION DISTINCT
SELECT
    argMax(number, (ended_at, span_id)),
    any(verdict)
FROM candidate
WHERE named_response = ''
    AND extent != 'section'
    AND NOT is_no_answer
GROUP BY
    tenant,
    trace_id,
    rejected_by
UNION DISTINCT
SELECT
    named.number,
    rejection.verdict
FROM rejection
INNER JOIN rollup_spans AS named
    ON named.tenant = rejection.tenant
    AND named.trace_id = rejection.trace_id
    AND named.response_id = rejection.named_response
INNER JOIN rollup_decided AS decided ON decided.number = named.number
WHERE rejection.named_response != ''
    AND decided.counts
