-- One row per unit of a call, review or pool: the rest, which is the question that was asked and the answer that was given.
SELECT
    quantity AS claimed,
    if(startsWith(unit, 'output_'), 'output', 'input') AS sub_component
FROM call_units
