-- One row per span of a trace of the batch in which somebody has to ask who encloses whom: its place, and what its name hints at.
-- Traces of our own calls that all name their role, and in which nothing failed, need none of this, and are left out.
INSERT INTO rollup_edges
WITH
    -- Whole words in the names of steps and agents, and the role of the calls inside.
    [
        ('plan', 'plan'), ('planner', 'plan'), ('planning', 'plan'), ('replan', 'plan'), ('replanner', 'plan'),
        ('decompose', 'plan'),
        ('route', 'route'), ('router', 'route'), ('routing', 'route'), ('triage', 'route'), ('dispatch', 'route'),
        ('dispatcher', 'route'),
        ('verify', 'verify'), ('verifier', 'verify'), ('verification', 'verify'), ('judge', 'verify'), ('critic', 'verify'),
        ('critique', 'verify'), ('evaluate', 'verify'), ('evaluator', 'verify'), ('grade', 'verify'), ('grader', 'verify'),
        ('summarise', 'summarise'), ('summarize', 'summarise'), ('summariser', 'summarise'), ('summarizer', 'summarise'),
        ('summarisation', 'summarise'), ('summarization', 'summarise'), ('summary', 'summarise'),
        ('memory', 'memory'), ('memorise', 'memory'), ('memorize', 'memory'), ('remember', 'memory'), ('recall', 'memory'),
        ('guardrail', 'guardrail'), ('guardrails', 'guardrail'), ('guard', 'guardrail'), ('moderate', 'guardrail'),
        ('moderation', 'guardrail'), ('moderator', 'guardrail'),
        ('delegate', 'delegate'), ('delegation', 'delegate'), ('handoff', 'delegate'), ('supervise', 'delegate'),
        ('supervisor', 'delegate'), ('orchestrator', 'delegate'),
        ('retrieve', 'retrieve'), ('retriever', 'retrieve'), ('retrieval', 'retrieve'), ('rerank', 'retrieve'),
        ('reranker', 'retrieve'),
        ('compact', 'compact'), ('compaction', 'compact'),
        ('answer', 'answer'), ('respond', 'answer'), ('reply', 'answer')
    ] AS words,
    unsettled AS (
        SELECT
            tenant,
            trace_id,
            -toInt64(min(number)) AS trace,
            countIf(scope = 'aggregate' OR dialect = 'gen_ai') > 0
                OR (countIf(scope != '' AND role = '') > 0 AND countIf(role != '') > 0) AS asks
        FROM rollup_spans
        GROUP BY
            tenant,
            trace_id
        HAVING countIf(scope = 'aggregate' OR dialect = 'gen_ai' OR (scope != '' AND role = '')) > 0 AND count() > 1
            OR countIf(failed AND activity != '') > 0
    ),
    named AS (
        SELECT
            label,
            splitByRegexp(
                '[^a-z0-9]+',
                lower(replaceRegexpAll(replaceRegexpAll(label, '([a-z0-9])([A-Z])', '\\1 \\2'), '([A-Z])([A-Z][a-z])', '\\1 \\2'))
            ) AS said
        FROM (SELECT DISTINCT label FROM rollup_spans WHERE activity IN ('agent', 'tool', 'step'))
    ),
    hinted AS (
        SELECT
            label,
            transform(arrayFirst(word -> has(words.1, word), said), words.1, words.2, '') AS role,
            hasAny(said, ['handoff', 'delegate']) OR hasSubstr(said, ['transfer', 'to']) AS hands_over
        FROM named
    )
SELECT
    child.number,
    multiIf(bridge.parent != 0, bridge.parent, parent.number = child.number, 0, parent.number),
    unsettled.trace,
    unsettled.asks,
    child.activity,
    child.failed,
    multiIf(
        child.activity IN ('', 'workflow'), '',
        child.activity = 'tool', if(hinted.hands_over, 'delegate', ''),
        child.activity IN ('agent', 'step'), hinted.role,
        child.activity
    ) AS hint,
    multiIf(hint = '', '', child.activity IN ('agent', 'tool', 'step'), 'inferred:step', 'framework')
FROM rollup_spans AS child
INNER JOIN unsettled ON unsettled.tenant = child.tenant AND unsettled.trace_id = child.trace_id
LEFT ANY JOIN (
    SELECT
        number,
        tenant,
        trace_id,
        span_id
    FROM rollup_spans
    WHERE span_id IN (SELECT parent_span_id FROM rollup_spans)
) AS parent
    ON parent.tenant = child.tenant AND parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
LEFT ANY JOIN rollup_bridges AS bridge ON bridge.number = child.number
LEFT ANY JOIN hinted ON hinted.label = child.label
