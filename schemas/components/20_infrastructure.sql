-- One row per unit of a call, review or pool: capacity that was paid for and served nobody, and what is paid whoever calls.
-- Capacity that did serve a call is part of that call, so that own machines compare with an API.
SELECT
    if(kind IN ('idle', 'commit_unused', 'fixed'), quantity, 0) AS claimed,
    multiIf(kind = 'idle', 'gpu_idle', kind = 'fixed', 'platform', 'commitment_unused') AS sub_component
FROM call_units
