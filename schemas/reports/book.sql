-- One row: the price book that figures are made with; it is everybody's.
SELECT book
FROM rating_runs FINAL
WHERE tenant IN ({tenant:String}, {everybody:String})
    AND rating_run IN (
        SELECT value
        FROM rollup_state FINAL
        WHERE tenant = {everybody:String} AND name = 'rating_run'
    )
