-- One row per trace that is being deleted.
INSERT INTO rollup_batch
SELECT DISTINCT
    tenant,
    id
FROM deletion_marks
WHERE kind = 'trace'
