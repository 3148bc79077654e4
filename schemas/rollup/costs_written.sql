-- One row per call, part of a call, or human review of the batch that has been rated.
INSERT INTO call_costs
SELECT *
FROM rollup_costs
