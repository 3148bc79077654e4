-- One row: up to when time has been seen to pass, by all that has been read of the batch.
SELECT toString(${latest}) AS latest
FROM rollup_calls
