-- One row per unit of a call, review or pool: capacity that was paid for and served nobody.
-- Capacity that did serve a call is part of that call, so that own machines compare with an API.
SELECT
    if(kind IN ('idle', 'commit_unused'), quantity, 0) AS claimed,
    if(kind = 'idle', 'gpu_idle', 'commitment_unused') AS sub_component
FROM call_units
