-- One row per unit of a call, review or pool: the attention of people.
SELECT
    if(kind = 'review', quantity, 0) AS claimed,
    if(review_kind = '', 'review', review_kind) AS sub_component
FROM call_units
