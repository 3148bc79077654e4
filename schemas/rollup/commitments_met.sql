-- One row per combination of commitments that calls were seen to be covered by.
SELECT DISTINCT commitments
FROM model_resolution
WHERE rating_run = {run:String}
    AND length(commitments) > 1
