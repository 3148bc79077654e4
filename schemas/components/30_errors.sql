-- One row per unit of a call, review or pool: everything a call used that failed, broke, or ended without an answer.
-- A stream that its reader closed is no error: what was delivered stays where it was.
SELECT
    if(waste != '', quantity, 0) AS claimed,
    waste AS sub_component
FROM call_units
