-- One row per hour with a sum that only all of its lines can tell.
INSERT INTO rollup_hours
SELECT DISTINCT
    tenant,
    hour
FROM rollup_sums
WHERE is_unclear
