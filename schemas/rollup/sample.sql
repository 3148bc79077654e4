-- One row: how many spans there are, and the traces of some, in the order in which they are kept.
SELECT
    count() AS spans,
    arraySort(groupArraySample(10000)(trace_id)) AS traces
FROM llm_calls
