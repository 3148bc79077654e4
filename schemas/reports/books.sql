-- One row per rating run: the price book that it rated with; it is everybody's.
SELECT
    toString(rating_run) AS rating_run,
    book
FROM rating_runs FINAL
WHERE tenant IN ({tenant:String}, {everybody:String})
    AND has({runs:Array(String)}, rating_run)
