-- One row per unit of a call, review or pool: everything a call used that failed, broke, or ended without an answer.
-- A stream that its reader left is no error: what was delivered stays where it was, and what was billed beyond that was
-- cancelled. What an attempt may have been billed that was made again is an error, whatever came of its call.
SELECT
    if(waste != '' OR segment IN ('attempt', 'undelivered'), quantity, 0) AS claimed,
    multiIf(segment = 'attempt', 'retried', waste != '', waste, 'cancelled') AS sub_component
FROM call_units
