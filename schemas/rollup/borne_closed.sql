-- One row per late call of a closed trace of which it cannot be known any more whether one that was rated tells of the same.
INSERT INTO rollup_borne
SELECT DISTINCT
    late.number,
    'closed'
FROM rollup_spans AS late
INNER JOIN rollup_rated AS rated ON rated.tenant = late.tenant AND rated.trace_id = late.trace_id
WHERE late.scope = 'call'
    AND rated.kind = 'call'
    -- What encloses another, or repeats it, is there at the same time; what a stream came to is told after its end.
    AND rated.started_at <= late.ended_at + INTERVAL 5 SECOND
    AND late.started_at <= rated.ended_at + INTERVAL 5 SECOND
    AND (
        late.dialect != 'tokentrace'
        OR (rated.bearing AND rated.input_tokens = late.input_tokens AND rated.output_tokens = late.output_tokens)
    )
