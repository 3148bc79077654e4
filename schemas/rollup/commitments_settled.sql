-- One row per period that has been settled.
SELECT
    commitment,
    since
FROM commitment_periods FINAL
WHERE rating_run = {run:String}
    AND settled
