-- One row per reason why a call of the batch that others tell of bears no cost.
INSERT INTO rollup_borne
WITH
    -- What a log tells of a call whose span tells it too.
    logged AS (
        SELECT log.number AS number
        FROM rollup_spans AS log
        INNER JOIN (
            SELECT
                tenant,
                trace_id,
                span_id
            FROM rollup_spans
            WHERE scope = 'call'
                AND span_id IN (
                    SELECT parent_span_id
                    FROM rollup_spans
                    WHERE label = 'gen_ai.client.inference.operation.details'
                )
        ) AS call
            ON call.tenant = log.tenant AND call.trace_id = log.trace_id AND call.span_id = log.parent_span_id
        WHERE log.label = 'gen_ai.client.inference.operation.details'
            AND log.dialect = 'gen_ai'
            AND log.scope = 'call'
    ),
    outer_calls AS (
        SELECT DISTINCT ancestor AS number
        FROM rollup_ancestry
        WHERE is_call_in_call
            AND is_same_class
            AND outer_dialect = 'gen_ai'
            AND number NOT IN (SELECT number FROM logged)
    ),
    inner_calls AS (
        SELECT
            number,
            ancestor AS account
        FROM rollup_ancestry
        WHERE dialect = 'gen_ai'
            AND outer_dialect = 'tokentrace'
            AND outer_scope IN ('call', 'retrieve')
            AND is_same_class
            AND (may_be_same OR is_same_usage)
    ),
    -- To others, a reading of a stored response looks like the call that made it.
    around_readings AS (
        SELECT DISTINCT ancestor AS number
        FROM rollup_ancestry
        WHERE dialect = 'tokentrace'
            AND number IN (SELECT number FROM rollup_spans WHERE scope = 'retrieve')
            AND outer_dialect = 'gen_ai'
            AND outer_scope = 'call'
            AND is_same_class
            AND may_be_same
            AND is_same_usage
    ),
    theirs AS (
        SELECT
            number,
            tenant,
            trace_id,
            span_id,
            started_at,
            ended_at,
            response_id,
            input_tokens,
            output_tokens
        FROM rollup_spans
        WHERE dialect = 'gen_ai'
            AND scope = 'call'
            AND response_id != ''
    ),
    -- Beside it in the trace, with the same id and usage, at the same time; what a stream came to is told after its end.
    beside AS (
        SELECT
            theirs.number AS number,
            other.number AS account
        FROM theirs
        INNER JOIN (
            SELECT
                number,
                tenant,
                trace_id,
                span_id,
                dialect,
                started_at,
                ended_at,
                response_id,
                input_tokens,
                output_tokens
            FROM rollup_spans
            WHERE scope IN ('call', 'retrieve')
                AND response_id IN (SELECT response_id FROM theirs)
        ) AS other
            ON other.tenant = theirs.tenant AND other.trace_id = theirs.trace_id AND other.response_id = theirs.response_id
        WHERE other.started_at <= theirs.ended_at
            AND theirs.started_at <= other.ended_at + toIntervalSecond(if(other.dialect = 'tokentrace', 5, 0))
            AND other.input_tokens = theirs.input_tokens
            AND other.output_tokens = theirs.output_tokens
            -- Of two foreign accounts without one of ours, the first stands.
            AND (other.dialect = 'tokentrace' OR (other.started_at, other.span_id) < (theirs.started_at, theirs.span_id))
            AND other.number NOT IN (SELECT number FROM outer_calls)
    ),
    -- Of an id that is no small number, in any trace of about that time; one of the counts may be told otherwise.
    anywhere AS (
        SELECT DISTINCT theirs.number AS number
        FROM theirs
        INNER JOIN rollup_accounts AS account
            ON account.tenant = theirs.tenant AND account.response_id = theirs.response_id
        WHERE account.started_at <= theirs.ended_at + INTERVAL 1 HOUR
            AND theirs.started_at <= account.ended_at + INTERVAL 1 HOUR
            AND (
                account.input_tokens = theirs.input_tokens
                OR account.output_tokens = theirs.output_tokens
                OR account.input_tokens + account.output_tokens = 0
            )
    )
SELECT
    number,
    'inner_call'
FROM outer_calls
UNION ALL
SELECT
    number,
    'same_response'
FROM inner_calls
UNION ALL
SELECT
    number,
    'same_response'
FROM around_readings
UNION ALL
SELECT
    number,
    'same_response'
FROM beside
UNION ALL
SELECT
    number,
    'same_response'
FROM anywhere
UNION ALL
SELECT
    number,
    'same_response'
FROM logged
