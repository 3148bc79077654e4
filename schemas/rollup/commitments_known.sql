-- One row per period that has been worked out by these prices, and shared out, and whether it is settled.
SELECT
    commitment,
    since,
    settled
FROM commitment_periods FINAL
WHERE rating_run = {run:String}
    AND version <= {sound:UInt64}
