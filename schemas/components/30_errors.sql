-- One row per unit of a call, review or pool: everything a call used that failed, broke, or ended without an answer.
-- A stream that its reader closed is no error: what was delivered stays where it was. What an attempt may have been billed
-- that was made again is one, whatever came of its call.
SELECT
    if(waste != '' OR segment = 'attempt', quantity, 0) AS claimed,
    if(segment = 'attempt', 'retried', waste) AS sub_component
FROM call_units
