-- One row: the last turn of a claim that is not needed any more.
INSERT INTO rollup_leases (claim, turn, until)
SELECT
    {claim:String},
    4294967295,
    now64(6)
