-- One row: how many calls and reviews came late to closed traces and bear cost, and of how many that is not known any more.
SELECT
    countIf(borne_by = '') AS added,
    countIf(borne_by = 'closed') AS undecided
FROM rollup_decided
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_closed)
