-- One row: what there is to decide in the batch, and so which stages have anything to do.
SELECT
    countIf(scope = 'retrieve') > 0 AS is_read_again,
    countIf(own_parent_id != '') > 0 AS has_gaps,
    -- As in `rollup_edges`, of which these are the spans that make a trace one to ask about.
    countIf(scope = 'aggregate' OR dialect = 'gen_ai' OR (scope != '' AND role = '') OR (failed AND activity != '')) > 0 AS is_nested,
    countIf(dialect = 'gen_ai') > 0 AS is_retold,
    countIf(dialect = 'gen_ai' AND scope = 'call' AND length(response_id) >= 16) > 0 AS names_responses,
    countIf(dialect = 'gen_ai' AND scope = 'call' AND response_id = '') > 0 AS names_none,
    countIf(failed) > 0
        OR countIf(asked != 0 AND NOT broke) > uniqExactIf((tenant, trace_id, asked), asked != 0 AND NOT broke) AS is_suspect
FROM rollup_spans
