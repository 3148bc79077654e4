-- One row per unit of a call, review or pool: tokens that the model spent on thinking.
SELECT
    if(unit = 'output_reasoning', quantity, 0) AS claimed,
    if(reasoning_visibility = '', 'hidden', reasoning_visibility) AS sub_component
FROM call_units
