-- One row per sum of an hour that the batch has changed, but of hours that are summed up whole.
INSERT INTO tcoai_by_hour
SELECT
    ${hour_key},
    {run:String},
    amount,
    allocated,
    estimated,
    list_cost,
    contracted_cost,
    tokens,
    toUInt64(lines),
    {version:UInt64},
    lines = 0
FROM rollup_sums
WHERE (tenant, hour) NOT IN (SELECT tenant, hour FROM rollup_hours)
