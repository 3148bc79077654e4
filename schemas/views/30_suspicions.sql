-- One row per trace and suspicion: how many of its calls may have been in vain, and what they cost beside their errors.
-- The same cost may be suspected twice, and none of it has moved: components tell what is known.
CREATE OR REPLACE VIEW suspicions AS
SELECT
    tenant,
    trace_id,
    suspicion,
    uniqExact(span_id) AS calls,
    max(repeats) AS repeats,
    sum(total - errors) AS cost
FROM call_costs FINAL
ARRAY JOIN suspected AS suspicion
WHERE bearing
GROUP BY
    tenant,
    trace_id,
    suspicion
