-- One row per call of the batch that others tell of without naming its response, and that is one of ours by all they say.
-- One of ours explains one span of each instrumentation, and none if that tells of it already.
INSERT INTO rollup_borne
WITH
    unnamed AS (
        SELECT
            number,
            tenant,
            trace_id,
            span_id,
            library,
            class,
            started_at,
            ended_at,
            input_tokens,
            output_tokens,
            [model, request_model] AS models
        FROM rollup_spans
        WHERE dialect = 'gen_ai'
            AND scope = 'call'
            AND response_id = ''
            AND number NOT IN (SELECT number FROM rollup_borne)
    ),
    -- A reading of ours explains them as a call does: to others it looks like one.
    explained AS (
        SELECT
            if(outer_dialect = 'gen_ai', number, ancestor) AS account,
            if(outer_dialect = 'gen_ai', ancestor, number) AS told
        FROM rollup_ancestry
        WHERE is_same_class
            AND dialect != outer_dialect
            AND outer_scope IN ('call', 'retrieve')
        UNION ALL
        SELECT
            account.number AS account,
            theirs.number AS told
        FROM rollup_spans AS theirs
        INNER JOIN rollup_spans AS account
            ON account.tenant = theirs.tenant AND account.trace_id = theirs.trace_id AND account.response_id = theirs.response_id
        WHERE theirs.dialect = 'gen_ai'
            AND theirs.scope = 'call'
            AND theirs.response_id != ''
            AND account.dialect = 'tokentrace'
    ),
    -- Who tells of which call of ours already.
    spoken_for AS (
        SELECT
            explained.account AS number,
            theirs.library AS library
        FROM explained
        INNER JOIN rollup_spans AS theirs ON theirs.number = explained.told
    ),
    candidates AS (
        SELECT
            unnamed.tenant AS tenant,
            unnamed.trace_id AS trace_id,
            unnamed.library AS library,
            (unnamed.ended_at, unnamed.started_at, unnamed.span_id, unnamed.number) AS span,
            arraySort(groupArray((account.ended_at, account.started_at, account.span_id, account.number))).4 AS accounts
        FROM unnamed
        INNER JOIN rollup_spans AS account
            ON account.tenant = unnamed.tenant
                AND account.trace_id = unnamed.trace_id
                AND account.class = unnamed.class
                AND account.output_tokens = unnamed.output_tokens
        WHERE account.dialect = 'tokentrace'
            AND account.scope IN ('call', 'retrieve')
            AND account.started_at <= unnamed.ended_at
            AND unnamed.started_at <= account.ended_at
            -- The beginning of a stream, which tells the input, is not everybody's.
            AND unnamed.input_tokens IN (account.input_tokens, if(unnamed.output_tokens > 0, 0, account.input_tokens))
            -- What was asked for is an alias of what answered.
            AND hasAny(unnamed.models, arrayFilter(model -> model != '', [account.model, account.request_model]))
            AND (account.number, unnamed.library) NOT IN (SELECT number, library FROM spoken_for)
        GROUP BY
            tenant,
            trace_id,
            library,
            span
    )
SELECT
    arrayJoin(
        arrayFold(
            (found, span, accounts) -> if(
                hasAll(found.2, accounts),
                found,
                (
                    arrayPushBack(found.1, span.4),
                    arrayPushBack(found.2, arrayFirst(account -> NOT has(found.2, account), accounts))
                )
            ),
            arraySort(groupArray((span, accounts))).1,
            arraySort(groupArray((span, accounts))).2,
            (emptyArrayUInt32(), emptyArrayUInt32())
        ).1
    ),
    'same_response'
FROM candidates
GROUP BY
    tenant,
    trace_id,
    library
