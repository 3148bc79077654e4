-- One row: a new claim to run the rollup, or the next turn of one that is well alive.
INSERT INTO rollup_leases (claim, turn, until)
SELECT
    {claim:String},
    {turn:UInt32},
    now64(6) + toIntervalMillisecond({life:UInt32})
WHERE {turn:UInt32} = 1
    -- A third of its life is left to arrive in: a claim that has died once is not called back.
    OR (
        SELECT argMax(until, turn)
        FROM rollup_leases
        WHERE claim = {claim:String}
    ) > now64(6) + toIntervalMillisecond(intDiv({life:UInt32}, 3))
